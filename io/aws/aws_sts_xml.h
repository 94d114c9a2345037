/* aws_sts_xml.h - what STS answers: credentials, or an error. One of the modules that know expat.
 *
 * The first text of each element of that name counts, wherever it stands: AWS nests them in a result
 * (AssumeRoleResponse/AssumeRoleResult/Credentials), and stores that speak STS (Ceph) do so with small
 * differences. Bounded; a document type declaration is refused. Pure; thread rule: reentrant. */
#ifndef PENSTOCK_IO_AWS_AWS_STS_XML_H
#define PENSTOCK_IO_AWS_AWS_STS_XML_H

#include "io/aws/aws_credentials.h"

#include <stdbool.h>
#include <stddef.h>

/* An answer with a session policy's worth of context has some 8 KiB. */
#define AWS_STS_XML_BYTES_MAX (64u * 1024)
/* AWS nests four deep. */
#define AWS_STS_XML_DEPTH_MAX   32u
#define AWS_STS_XML_CODE_MAX    96u
#define AWS_STS_XML_MESSAGE_MAX 512u

struct aws_sts_reply {
    char *access_key_id, *secret_access_key, *session_token; /* NULL: not there */
    char expiration[40];                                     /* RFC 3339; "": not there */
    char code[AWS_STS_XML_CODE_MAX];                         /* of an error; "": none. Printable ASCII, cut */
    char message[AWS_STS_XML_MESSAGE_MAX]; /* STS may quote the request in it: not for every code fit to show
                                            */
};

/* False: not such an XML text (or no memory); `reply` is empty then. */
bool aws_sts_xml_read(const char *text, size_t length, struct aws_sts_reply *reply);
void aws_sts_xml_free(struct aws_sts_reply *reply); /* wipes; zeroed is fine */

#endif
