/* profilegen_words.h - the words that generated profiles are made of. All persons are invented; mail domains
 * are those of RFC 2606, phone numbers carry the fictional 555 exchange.
 *
 * A word is the inside of a JSON string: already escaped, valid UTF-8. Thread rule: constant data. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_WORDS_H
#define PENSTOCK_DATASETS_PROFILEGEN_WORDS_H

/* One copy of a fixed size is faster than one of the exact length: a word's writer may spoil this many bytes.
 */
#define WORD_TEXT_MAX 31

struct word {
    unsigned char length;
    char text[WORD_TEXT_MAX];
};

/* Powers of two, so that a few bits of a random number choose. */
#define WORDS_FIRST_NAMES 64
#define WORDS_LAST_NAMES  64
#define WORDS_LOGINS      64
#define WORDS_DOMAINS     8
#define WORDS_STREETS     32
#define WORDS_PLACES      32
#define WORDS_TIERS       4
#define WORDS_CONSENTS    8
#define WORDS_TAGS        16

/* What belongs together in an address. */
struct place {
    struct word city;
    struct word postal; /* what precedes the digits of the postal code */
    struct word country;
    struct word language;
    struct word dial;
};

extern const struct word words_first_names[WORDS_FIRST_NAMES];
extern const struct word words_last_names[WORDS_LAST_NAMES];
extern const struct word words_logins[WORDS_LOGINS];
extern const struct word words_domains[WORDS_DOMAINS];
extern const struct word words_streets[WORDS_STREETS];
extern const struct place words_places[WORDS_PLACES];
extern const struct word words_tiers[WORDS_TIERS];
extern const struct word words_consents[WORDS_CONSENTS];
extern const struct word words_tags[WORDS_TAGS];
extern const struct word words_genders[4];

#endif
