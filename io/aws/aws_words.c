/* aws_words.c - Python's shlex.split in its POSIX mode, without comments.
 *
 * Thread rule: pure and reentrant. Owns nothing. */
#include "io/aws/aws_words.h"

#include <stdbool.h>

struct words {
    const char *at;
    char *to;
};

static bool words_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the opening quote: copies up to the closing one. */
static bool words_quoted(struct words *words, char quote)
{
    for (; *words->at != quote; words->at++) {
        if (*words->at == '\0') return false;
        bool const escaped =
            quote == '"' && *words->at == '\\' && (words->at[1] == '"' || words->at[1] == '\\');
        if (escaped) words->at++;
        *words->to++ = *words->at;
    }
    words->at++;
    return true;
}

static enum aws_words_end words_one(struct words *words)
{
    while (*words->at != '\0' && !words_blank(*words->at)) {
        char const c = *words->at++;
        if (c == '\'' || c == '"') {
            if (!words_quoted(words, c)) return AWS_WORDS_QUOTE;
        } else if (c == '\\') {
            if (*words->at == '\0') return AWS_WORDS_ESCAPE;
            *words->to++ = *words->at++;
        } else {
            *words->to++ = c;
        }
    }
    *words->to++ = '\0';
    return AWS_WORDS_OK;
}

enum aws_words_end aws_words_split(const char *line, char *room, char *words[AWS_WORDS_MAX + 1],
                                   size_t *count)
{
    struct words state = {.at = line, .to = room};
    *count = 0;
    words[0] = NULL;
    for (;;) {
        while (words_blank(*state.at))
            state.at++;
        if (*state.at == '\0') return AWS_WORDS_OK;
        if (*count == AWS_WORDS_MAX) return AWS_WORDS_MANY;
        words[*count] = state.to;
        enum aws_words_end const end = words_one(&state);
        if (end != AWS_WORDS_OK) return end;
        words[++*count] = NULL;
    }
}
