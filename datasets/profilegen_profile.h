/* profilegen_profile.h - what the parts of a record share: its random choices, and the writers of its parts.
 *
 * A put_ function writes at `p` and returns what follows; see profilegen_put.h. Thread rule: a profile
 * belongs to one thread. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_PROFILE_H
#define PENSTOCK_DATASETS_PROFILEGEN_PROFILE_H

#include "datasets/profilegen_prng.h"
#include "datasets/profilegen_put.h"
#include "datasets/profilegen_record.h"

/* What the random numbers of one record go through. */
struct profile {
    const struct generator *generator;
    struct prng prng;
    const struct place *place;
    const struct word *first_name;
    const struct word *last_name;
    uint64_t customer;
    uint64_t bits; /* small choices take their bits from here, 64 a draw */
    unsigned bits_left;
    bool full;
};

enum presence { PRESENT, NULLED, MISSING };

enum time_form { TIME_ZULU, TIME_MILLIS, TIME_OFFSET, TIME_OFFSET_PLAIN, TIME_BLANK, TIME_FORMS };

static inline unsigned pick_bits(struct profile *profile, unsigned count)
{
    if (profile->bits_left < count) {
        profile->bits = prng_next(&profile->prng);
        profile->bits_left = 64;
    }
    unsigned const value = (unsigned)(profile->bits & ((1u << count) - 1));
    profile->bits >>= count;
    profile->bits_left -= count;
    return value;
}

/* Null in 1 of 32, missing in `missing` of 32. */
static inline enum presence pick_presence(struct profile *profile, unsigned missing)
{
    unsigned const value = pick_bits(profile, 5);
    if (profile->full) return PRESENT;
    return value == 31 ? NULLED : value < missing ? MISSING : PRESENT;
}

/* A time between 2019 and 2026; days end at 28 so that every month has them. */
char *put_time(char *p, struct profile *profile, enum time_form form);

/* The members about the person: person, personalEmail, mobilePhone, homeAddress, preferredLanguage and
 * consents, each with a comma behind. */
char *put_person_members(char *p, struct profile *profile);

#endif
