/* profilegen_person.c - the part of a record that is about the person, and its times.
 * Owns nothing. Thread rule: reentrant. */
#include "datasets/profilegen_profile.h"

char *put_time(char *p, struct profile *profile, enum time_form form)
{
    uint64_t draw = prng_next(&profile->prng);
    p = put_digits(p, 2019 + (draw & 7), 4);
    *p++ = '-';
    p = put_digits(p, 1 + (((draw >> 3) & 0xffff) * 12 >> 16), 2);
    *p++ = '-';
    p = put_digits(p, 1 + (((draw >> 19) & 0xffff) * 28 >> 16), 2);
    *p++ = form == TIME_BLANK ? ' ' : 'T';
    p = put_digits(p, ((draw >> 35) & 0xff) * 24 >> 8, 2);
    *p++ = ':';
    p = put_digits(p, ((draw >> 43) & 0xff) * 60 >> 8, 2);
    *p++ = ':';
    p = put_digits(p, ((draw >> 51) & 0x7) * 7 + 3, 2);
    switch (form) {
    case TIME_MILLIS: p = put_digits(PUT(p, "."), draw >> 54, 3); return PUT(p, "Z");
    case TIME_OFFSET: return PUT(p, "+00:00");
    case TIME_OFFSET_PLAIN: return PUT(p, "+0000");
    case TIME_BLANK: return p;
    case TIME_ZULU:
    case TIME_FORMS: break;
    }
    return PUT(p, "Z");
}

/* "date", nothing else. */
static char *put_date(char *p, struct profile *profile, unsigned first_year, unsigned years)
{
    uint64_t const draw = prng_next(&profile->prng);
    p = put_digits(p, first_year + ((draw & 0xffff) * years >> 16), 4);
    *p++ = '-';
    p = put_digits(p, 1 + (((draw >> 16) & 0xffff) * 12 >> 16), 2);
    *p++ = '-';
    return put_digits(p, 1 + (((draw >> 32) & 0xffff) * 28 >> 16), 2);
}

static char *put_names(char *p, struct profile *profile)
{
    p = PUT(p, "\"person\":{\"name\":{");
    switch (pick_presence(profile, 1)) {
    case PRESENT:
        p = PUT(p, "\"firstName\":\"");
        p = put_word(p, profile->first_name);
        if (pick_bits(profile, 6) == 0) p = PUT(p, " \\ud83d\\ude00"); /* a smile, as a surrogate pair */
        p = PUT(p, "\",");
        break;
    case NULLED: p = PUT(p, "\"firstName\":\"\","); break;
    case MISSING: break;
    }
    switch (pick_presence(profile, 1)) {
    case PRESENT:
        p = PUT(p, "\"lastName\":\"");
        p = put_word(p, profile->last_name);
        p = PUT(p, "\",");
        break;
    case NULLED: p = PUT(p, "\"lastName\":null,"); break;
    case MISSING: break;
    }
    p = PUT(p, "\"fullName\":\"");
    p = put_word(p, profile->first_name);
    *p++ = ' ';
    p = put_word(p, profile->last_name);
    return PUT(p, "\"},");
}

static char *put_person(char *p, struct profile *profile)
{
    p = put_names(p, profile);
    if (pick_bits(profile, 3) != 0) {
        p = PUT(p, "\"birthDate\":\"");
        p = put_date(p, profile, 1935, 72);
        p = PUT(p, "\",");
    }
    p = PUT(p, "\"gender\":\"");
    p = put_word(p, &words_genders[pick_bits(profile, 2)]);
    p = PUT(p, "\",\"nationality\":\"");
    p = put_word(p, &profile->place->country);
    return PUT(p, "\"},");
}

static char *put_email(char *p, struct profile *profile)
{
    switch (pick_presence(profile, 2)) {
    case NULLED: return PUT(p, "\"personalEmail\":null,");
    case MISSING: return p;
    case PRESENT: break;
    }
    p = PUT(p, "\"personalEmail\":{\"address\":\"");
    p = put_word(p, &words_logins[pick_bits(profile, 6)]);
    *p++ = '.';
    p = put_number(p, (uint32_t)profile->customer % 100000);
    *p++ = '@';
    p = put_word(p, &words_domains[pick_bits(profile, 3)]);
    return PUT(p, "\",\"primary\":true,\"status\":\"active\"},");
}

static char *put_phone(char *p, struct profile *profile)
{
    switch (pick_presence(profile, 4)) {
    case NULLED: return PUT(p, "\"mobilePhone\":null,");
    case MISSING: return p;
    case PRESENT: break;
    }
    p = PUT(p, "\"mobilePhone\":{\"number\":\"+");
    p = put_word(p, &profile->place->dial);
    *p++ = ' ';
    p = put_digits(p, 86 + pick_bits(profile, 3), 2);
    p = PUT(p, " 555 ");
    p = put_digits(p, prng_next(&profile->prng), 4);
    return PUT(p, "\",\"status\":\"active\"},");
}

/* 1 in 8 with a line break, 1 in 16 with quotes, 1 in 16 with a comma. */
static char *put_street(char *p, struct profile *profile)
{
    unsigned const form = pick_bits(profile, 4);
    p = PUT(p, "\"street1\":\"");
    if (form < 2) {
        p = PUT(p, "Apt ");
        p = put_number(p, 1 + pick_bits(profile, 6));
        p = PUT(p, "\\n");
    }
    p = put_number(p, 1 + pick_bits(profile, 8));
    *p++ = ' ';
    if (form == 2) p = PUT(p, "\\\"The Mill\\\", ");
    p = put_word(p, &words_streets[pick_bits(profile, 5)]);
    if (form == 3) p = PUT(p, ", Block B");
    return PUT(p, "\",");
}

static char *put_address(char *p, struct profile *profile)
{
    const struct place *const place = profile->place;
    switch (pick_presence(profile, 2)) {
    case NULLED: return PUT(p, "\"homeAddress\":null,");
    case MISSING: return p;
    case PRESENT: break;
    }
    p = PUT(p, "\"homeAddress\":{\"primary\":true,");
    switch (pick_presence(profile, 1)) {
    case PRESENT: p = put_street(p, profile); break;
    case NULLED: p = PUT(p, "\"street1\":null,"); break;
    case MISSING: break;
    }
    p = PUT(p, "\"city\":\"");
    p = put_word(p, &place->city);
    p = PUT(p, "\",\"postalCode\":\"");
    p = put_word(p, &place->postal);
    p = put_digits(p, prng_next(&profile->prng), 3);
    p = PUT(p, "\",\"countryCode\":\"");
    p = put_word(p, &place->country);
    p = PUT(p, "\",\"_schema\":{\"latitude\":");
    p = put_number(p, 10 + pick_bits(profile, 5));
    *p++ = '.';
    p = put_digits(p, prng_next(&profile->prng), 4);
    p = PUT(p, ",\"longitude\":-");
    p = put_number(p, pick_bits(profile, 6));
    *p++ = '.';
    p = put_digits(p, prng_next(&profile->prng), 4);
    return PUT(p, "}},");
}

static char *put_consents(char *p, struct profile *profile)
{
    p = PUT(p, "\"preferredLanguage\":\"");
    p = put_word(p, &profile->place->language);
    p = PUT(p, "\",");
    if (pick_presence(profile, 2) == MISSING) return p;
    p = PUT(p, "\"consents\":{\"collect\":{\"val\":\"y\"},\"marketing\":{\"preferred\":\"email\",\"any\":{"
               "\"val\":\"");
    p = put_word(p, &words_consents[pick_bits(profile, 3)]);
    p = PUT(p, "\"},");
    if (pick_presence(profile, 2) != MISSING) {
        p = PUT(p, "\"email\":{\"val\":\"");
        p = put_word(p, &words_consents[pick_bits(profile, 3)]);
        p = PUT(p, "\"},");
    }
    if (pick_bits(profile, 1))
        p = PUT(p, "\"sms\":{\"val\":\"n\",\"reason\":\"Too \\\"frequent\\\", sorry\"},");
    p = put_close(p, '}');
    p = PUT(p, ",\"metadata\":{\"time\":\"");
    p = put_time(p, profile, TIME_ZULU);
    return PUT(p, "\"}},");
}

char *put_person_members(char *p, struct profile *profile)
{
    p = put_person(p, profile);
    p = put_email(p, profile);
    p = put_phone(p, profile);
    p = put_address(p, profile);
    return put_consents(p, profile);
}
