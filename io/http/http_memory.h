/* http_memory.h - memory for libcurl, which copies signatures, tokens and replies and frees them as they are:
 * here they are wiped first. Any thread. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_MEMORY_H
#define PENSTOCK_IO_HTTP_HTTP_MEMORY_H

#include <stddef.h>

void http_memory_free(void *memory); /* takes NULL */
void *http_memory_resize(void *memory, size_t size);

#endif
