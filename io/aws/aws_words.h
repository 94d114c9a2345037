/* aws_words.h - a command line into its words, as botocore does for credential_process (Python's
 * shlex.split): blanks part words; '...' is taken as it is; in "..." a backslash escapes " and itself;
 * outside, anything. No variables, no globs, no shell. Pure. */
#ifndef PENSTOCK_IO_AWS_AWS_WORDS_H
#define PENSTOCK_IO_AWS_AWS_WORDS_H

#include <stddef.h>

/* More arguments than any helper takes. */
#define AWS_WORDS_MAX 256u

enum aws_words_end { AWS_WORDS_OK, AWS_WORDS_QUOTE, AWS_WORDS_ESCAPE, AWS_WORDS_MANY };

/* The words lie in `room` (strlen(line) + 1 bytes at least); words[count] is NULL. */
enum aws_words_end aws_words_split(const char *line, char *room, char *words[AWS_WORDS_MAX + 1],
                                   size_t *count);

#endif
