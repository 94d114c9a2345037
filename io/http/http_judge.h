/* http_judge.h - why a transfer ended, from what libcurl says and what came; and whether it has ended
 * although libcurl doesn't say so. Decides only: nothing is changed. Thread rule: the transfer's owner.
 * Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_JUDGE_H
#define PENSTOCK_IO_HTTP_HTTP_JUDGE_H

#include "io/http/http_transfer.h"

/* Of a transfer that libcurl ended with `code`. *text: of a failure, for http_reply.failure_text; lives as
 * long as the transfer is not changed. */
enum http_failure http_judge(const struct http_transfer *transfer, CURLcode code, const char **text);
/* Is the answer because of which we stopped sending here? libcurl doesn't end a transfer whose sending
 * pauses. `silent_us`: http_transfer_silence(). */
bool http_judge_early_answer(const struct http_transfer *transfer, uint64_t silent_us);

#endif
