/* profilegen_record.c - writes one profile: the sixteen columns of the comparisons with other tools, and what
 * else a real profile carries. The shapes are those of public AEP samples; nothing here is anybody's data.
 *
 * Members are written with a comma behind, and put_close() turns the last one into the bracket.
 * Owns nothing. Thread rule: reentrant. */
#include "datasets/profilegen_record.h"

#include "datasets/profilegen_profile.h"

/* Odd and not divisible by 5: multiplying by it permutes the numbers below 10^10; and stays below 2^64. */
#define CUSTOMER_STEP 1618033993u

/* Which records repeat a customer must not depend on what is in them: a stream of its own. */
#define DUPLICATES_STREAM 0x6475706cu

/* The record whose customer record `index` has: itself, or one before it; that one may repeat another, and so
 * on down to record 0. Beyond 2^32 records the first 2^32 are chosen from, which is of no weight for test
 * data.
 */
static uint64_t customer_index(const struct generator *generator, uint64_t index)
{
    while (generator->duplicates != 0 && index != 0) {
        struct prng prng = prng_stream(generator->seed ^ DUPLICATES_STREAM, index);
        if (!prng_share(&prng, generator->duplicates)) break;
        index = prng_below(&prng, index < UINT32_MAX ? (uint32_t)index : UINT32_MAX);
    }
    return index;
}

/* Half of the customers have a number with a prefix, the others digits alone, leading zeros and all. */
static char *put_customer(char *p, const struct profile *profile)
{
    if (profile->customer & 1) p = PUT(p, "C-");
    return put_digits(p, profile->customer, 10);
}

static char *put_audit(char *p, struct profile *profile)
{
    p = PUT(p, "{\"_id\":\"");
    p = put_hex(p, prng_next(&profile->prng));
    p = PUT(p, "\",\"_repo\":{\"createDate\":\"");
    p = put_time(p, profile, TIME_MILLIS);
    p = PUT(p, "\",");
    switch (pick_presence(profile, 1)) {
    case PRESENT:
        p = PUT(p, "\"modifyDate\":\"");
        p = put_time(p, profile, pick_bits(profile, 1) ? TIME_ZULU : TIME_MILLIS);
        p = PUT(p, "\",");
        break;
    case NULLED: p = PUT(p, "\"modifyDate\":null,"); break;
    case MISSING: break;
    }
    p = put_close(p, '}');
    p = PUT(p, ",\"createdByBatchID\":\"01GS7Z5K8XQF");
    p = put_digits(p, prng_next(&profile->prng), 8);
    return PUT(p, "\",");
}

static char *put_membership(char *p, struct profile *profile, const char *segment, bool member)
{
    static const enum time_form forms[8] = {TIME_ZULU, TIME_ZULU,   TIME_ZULU,         TIME_ZULU,
                                            TIME_ZULU, TIME_OFFSET, TIME_OFFSET_PLAIN, TIME_BLANK};
    *p++ = '"';
    p = put_bytes(p, segment, RECORD_SEGMENT_LENGTH);
    p = PUT(p, "\":{\"lastQualificationTime\":\"");
    p = put_time(p, profile, forms[pick_bits(profile, 3)]);
    p = PUT(p, "\",\"status\":\"");
    if (!member)
        p = PUT(p, "exited");
    else if (pick_bits(profile, 1))
        p = PUT(p, "realized");
    else
        p = PUT(p, "existing");
    return PUT(p, "\"},");
}

/* 1 to 6 memberships, few more often than many. The wanted segment is in 3 of 34 profiles and 2 of 3 of those
 * are members: 1 in 17. */
static char *put_segments(char *p, struct profile *profile)
{
    struct prng *const prng = &profile->prng;
    uint32_t const most = 1 + prng_below(prng, RECORD_SEGMENTS_MEMBER);
    uint32_t const count = 1 + prng_below(prng, most);
    uint32_t const wanted = prng_below(prng, 34);
    uint32_t const wanted_at = wanted < 3 ? prng_below(prng, count) : count;
    uint32_t other = prng_below(prng, RECORD_SEGMENTS_OTHER);
    uint32_t const step = 1 + prng_below(prng, RECORD_SEGMENTS_OTHER - 1);
    p = PUT(p, "\"segmentMembership\":{\"ups\":{");
    for (uint32_t i = 0; i < count; i++) {
        other = (other + step) % RECORD_SEGMENTS_OTHER;
        if (i == wanted_at)
            p = put_membership(p, profile, profile->generator->segments[0], wanted < 2);
        else
            p = put_membership(p, profile, profile->generator->segments[1 + other],
                               pick_bits(profile, 2) != 0);
    }
    p = put_close(p, '}');
    return PUT(p, "},");
}

/* 38 digits, as Experience Cloud ids have. */
static char *put_ecid(char *p, struct profile *profile)
{
    p = PUT(p, "{\"id\":\"");
    p = put_digits(p, prng_next(&profile->prng), 19);
    p = put_digits(p, prng_next(&profile->prng), 19);
    return PUT(p, "\"},");
}

/* customerid is always there and its first entry the primary one, so that index 0 and `primary` agree. The
 * hash is of nothing: only its length is real. */
static char *put_identities(char *p, struct profile *profile)
{
    p = PUT(p, "\"identityMap\":{\"customerid\":[{\"id\":\"");
    p = put_customer(p, profile);
    p = PUT(p, "\",\"primary\":true,\"authenticatedState\":\"ambiguous\"}");
    if (pick_bits(profile, 5) == 0) {
        p = PUT(p, ",{\"id\":\"OLD-");
        p = put_digits(p, prng_next(&profile->prng), 6);
        p = PUT(p, "\",\"primary\":false}");
    }
    p = PUT(p, "],\"ECID\":[");
    p = put_ecid(p, profile);
    if (pick_bits(profile, 2) == 0) p = put_ecid(p, profile);
    p = put_close(p, ']');
    if (pick_bits(profile, 1)) {
        p = PUT(p, ",\"email_lc_sha256\":[{\"id\":\"");
        for (int i = 0; i < 4; i++)
            p = put_hex(p, prng_next(&profile->prng));
        p = PUT(p, "\"}]");
    }
    return PUT(p, "},");
}

static char *put_loyalty(char *p, struct profile *profile)
{
    p = PUT(p, "\"loyalty\":{\"joinDate\":\"");
    p = put_time(p, profile, TIME_ZULU);
    p = PUT(p, "\",\"loyaltyID\":[\"L");
    p = put_digits(p, prng_next(&profile->prng), 8);
    return PUT(p, "\"],\"program\":\"Rewards\"},");
}

static char *put_external(char *p, struct profile *profile)
{
    p = PUT(p, "\"extSourceSystemAudit\":{\"createdBy\":\"CRM-ETL\",\"externalID\":\"SF-");
    p = put_digits(p, prng_next(&profile->prng), 10);
    return PUT(p, "\"},");
}

static char *put_tags(char *p, struct profile *profile)
{
    unsigned const count = pick_bits(profile, 2);
    p = PUT(p, "\"tags\":[");
    for (unsigned i = 0; i < count; i++) {
        *p++ = '"';
        p = put_word(p, &words_tags[pick_bits(profile, 4)]);
        p = PUT(p, "\",");
    }
    return put_close(p, ']');
}

/* lifetimeValue has two decimals always: trailing zeros must survive a converter. */
static char *put_scores(char *p, struct profile *profile)
{
    switch (pick_presence(profile, 2)) {
    case PRESENT:
        p = PUT(p, "\"churnScore\":0.");
        p = put_digits(p, prng_next(&profile->prng), 4);
        *p++ = ',';
        break;
    case NULLED: p = PUT(p, "\"churnScore\":null,"); break;
    case MISSING: break;
    }
    if (pick_presence(profile, 2) == PRESENT) {
        p = PUT(p, "\"lifetimeValue\":");
        p = put_number(p, prng_below(&profile->prng, 100000));
        *p++ = '.';
        p = put_digits(p, prng_next(&profile->prng), 2);
        *p++ = ',';
    }
    return p;
}

static char *put_tenant(char *p, struct profile *profile)
{
    p = PUT(p, "\"_acme\":{");
    if (pick_presence(profile, 2) != MISSING) {
        p = PUT(p, "\"loyalty\":{\"tier\":\"");
        p = put_word(p, &words_tiers[pick_bits(profile, 2)]);
        p = PUT(p, "\",\"points\":");
        p = put_number(p, prng_below(&profile->prng, 250000));
        p = PUT(p, "},");
    }
    p = put_scores(p, profile);
    if (pick_presence(profile, 3) == PRESENT) {
        p = PUT(p, "\"preferredStore\":\"store-");
        p = put_digits(p, prng_next(&profile->prng), 3);
        p = PUT(p, "\",");
    }
    p = pick_bits(profile, 2) == 0 ? PUT(p, "\"isVip\":true,") : PUT(p, "\"isVip\":false,");
    p = put_tags(p, profile);
    return PUT(p, "}}");
}

char *record_write(const struct generator *generator, uint64_t index, bool full, char *out)
{
    struct profile profile = {.generator = generator, .full = full};
    profile.prng = prng_stream(generator->seed, index);
    /* The seed shifts the customers; the index walks through all ten-digit numbers. */
    profile.customer = ((customer_index(generator, index) % RECORD_CUSTOMERS) * CUSTOMER_STEP +
                        prng_mix(generator->seed) % RECORD_CUSTOMERS) %
                       RECORD_CUSTOMERS;
    profile.place = &words_places[pick_bits(&profile, 5)];
    profile.first_name = &words_first_names[pick_bits(&profile, 6)];
    profile.last_name = &words_last_names[pick_bits(&profile, 6)];
    char *p = put_audit(out, &profile);
    p = put_person_members(p, &profile);
    p = put_loyalty(p, &profile);
    p = put_segments(p, &profile);
    p = put_identities(p, &profile);
    p = put_external(p, &profile);
    return put_tenant(p, &profile);
}

/* The ids must be the same for every seed: jobs name them. */
void generator_init(struct generator *generator, uint64_t seed, uint32_t duplicates)
{
    struct prng prng = prng_stream(0, 0);
    generator->seed = seed;
    generator->duplicates = duplicates;
    memcpy(generator->segments[0], RECORD_SEGMENT_WANTED, RECORD_SEGMENT_LENGTH);
    for (unsigned i = 1; i <= RECORD_SEGMENTS_OTHER; i++) {
        char hex[32];
        char *p = generator->segments[i];
        put_hex(hex, prng_next(&prng)); /* two calls: C leaves the order inside one open */
        put_hex(hex + 16, prng_next(&prng));
        hex[12] = '4'; /* a random UUID by RFC 9562: version 4, variant 10 */
        hex[16] = '8';
        for (unsigned k = 0; k < 32; k++) {
            if (k == 8 || k == 12 || k == 16 || k == 20) *p++ = '-';
            *p++ = hex[k];
        }
    }
}
