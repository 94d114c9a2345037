/* aws_memory.h - memory for libraries that read replies with secrets in them, and copy these: it is
 * overwritten when it is freed. As malloc(), free() and realloc(), which it is not to be mixed with. Any
 * thread. */
#ifndef PENSTOCK_IO_AWS_AWS_MEMORY_H
#define PENSTOCK_IO_AWS_AWS_MEMORY_H

#include <stddef.h>

void *aws_memory_allocate(size_t size); /* NULL: there is none */
void aws_memory_release(void *memory);  /* takes NULL */
void *aws_memory_resize(void *memory, size_t size);

#endif
