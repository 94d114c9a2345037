/* former_search.c - see the header. Thread: the sink's. Owns each text until it was taken. */
#include "io/output/former_search.h"

#include <stdlib.h>

/* Is it one at all? A large file of another kind is not read to its end. */
static enum status look(const struct former_text *text, const struct former_port *port, bool *worth,
                        struct fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    *worth = true;
    if (!former_wants_head(text)) return STATUS_OK;
    enum status const status = port->read(port->context, text->name, FORMER_HEAD_MAX, &bytes, &length, fault);
    *worth = bytes != NULL && manifest_may_be(bytes, length);
    free(bytes);
    return status;
}

static enum status take(struct former *former, struct former_text *text, const struct former_port *port,
                        struct fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    bool worth;
    enum status status = look(text, port, &worth, fault);
    if (status != STATUS_OK || !worth) return status;
    status = port->read(port->context, text->name, former_wanted(text), &bytes, &length, fault);
    if (status == STATUS_OK && bytes != NULL) status = former_take(former, text, bytes, length, fault);
    free(bytes);
    return status;
}

static enum status take_all(struct former *former, const struct former_port *port, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (former->text_count > FORMER_TEXTS_MAX)
        return fault_set(
            fault, STATUS_JOB,
            "%s: there are %zu files that may be manifests, more than the %u that are read to find "
            "those of former deliveries (if_exists: replace): remove old ones, or give another "
            "destination",
            former->place, former->text_count, FORMER_TEXTS_MAX);
    for (size_t i = 0; i < former->text_count && status == STATUS_OK; i++)
        status = take(former, &former->texts[i], port, fault);
    return status;
}

enum status former_search(struct former *former, const struct former_port *port, struct fault *fault)
{
    enum status status = STATUS_OK;
    name_set_sort(&former->folders);
    for (size_t i = 0; i < former->folders.count && status == STATUS_OK; i++)
        status = port->list(port->context, former->folders.names[i], former, fault);
    if (status != STATUS_OK || !former_wants_texts(former)) return status;
    status = take_all(former, port, fault);
    return status == STATUS_OK ? former_judge(former, fault) : status;
}
