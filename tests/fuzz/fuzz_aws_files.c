/* fuzz_aws_files.c - any bytes as the shared files: parsed or refused with file and line; what was parsed is
 * within the form's bounds, is the same a second time, and a whole configuration can be made of it. The first
 * byte says which file's rules and how much of the rest is the other file. */
#include "io/aws/aws_config.h"
#include "io/aws/aws_ini.h"
#include "io/aws/aws_words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void check_words(const char *line)
{
    char *const room = malloc(strlen(line) + 1);
    char *words[AWS_WORDS_MAX + 1];
    size_t count = 0;
    expect(room != NULL);
    if (aws_words_split(line, room, words, &count) == AWS_WORDS_OK) {
        expect(count <= AWS_WORDS_MAX && words[count] == NULL);
        for (size_t i = 0; i < count; i++)
            expect(words[i] >= room && words[i] + strlen(words[i]) <= room + strlen(line));
    }
    free(room);
}

static void check_section(const struct aws_ini_section *section, unsigned lines)
{
    unsigned line = section->line;
    expect(section->name[0] != '\0' && line >= 1 && line <= lines);
    for (size_t i = 0; i < section->count; i++) {
        const struct aws_setting *const setting = &section->settings[i];
        expect(setting->line > line && setting->line <= lines && strcmp(setting->file, "f") == 0);
        expect(setting->key[0] != '\0' && strlen(setting->key) <= 2 * AWS_INI_KEY_MAX + 1);
        expect(strpbrk(setting->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
        const struct aws_setting *const last = aws_ini_get(section->settings, section->count, setting->key);
        expect(last != NULL && last >= setting);
        check_words(setting->value);
        line = setting->line;
    }
}

static void same_section(const struct aws_ini_section *one, const struct aws_ini_section *two)
{
    expect(one->kind == two->kind && one->count == two->count && strcmp(one->name, two->name) == 0);
    for (size_t i = 0; i < one->count; i++)
        expect(strcmp(one->settings[i].key, two->settings[i].key) == 0 &&
               strcmp(one->settings[i].value, two->settings[i].value) == 0);
}

static void check_ini(const char *bytes, size_t size, bool credentials)
{
    struct arena arena = {.secret = true};
    struct aws_ini ini, again;
    struct fault fault = {0};
    enum status const status = aws_ini_parse(&arena, "f", bytes, size, credentials, &ini, &fault);
    expect(aws_ini_parse(&arena, "f", bytes, size, credentials, &again, NULL) == status);
    if (status != STATUS_OK) {
        unsigned line = 0;
        expect(status == STATUS_RIGHTS && sscanf(fault.message, "f:%u: ", &line) == 1 && line >= 1);
        expect(ini.first == NULL && ini.count == 0);
    }
    unsigned lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    size_t count = 0;
    const struct aws_ini_section *other = again.first;
    for (const struct aws_ini_section *s = ini.first; s != NULL; s = s->next, other = other->next, count++) {
        check_section(s, lines);
        same_section(s, other);
    }
    expect(count == ini.count && other == NULL);
    arena_free(&arena);
}

struct files {
    int config, credentials; /* in memory */
    char config_path[64], credentials_path[64];
    bool named;
};

static const char *variable(void *context, const char *name)
{
    const struct files *const files = context;
    if (strcmp(name, "AWS_CONFIG_FILE") == 0) return files->config_path;
    if (strcmp(name, "AWS_SHARED_CREDENTIALS_FILE") == 0) return files->credentials_path;
    return strcmp(name, "AWS_PROFILE") == 0 && files->named ? "p" : NULL;
}

static int file_of(const char *bytes, size_t size, char path[64])
{
    int const fd = memfd_create("fuzz", MFD_CLOEXEC);
    expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_config(const char *bytes, size_t size, size_t cut, bool named)
{
    struct files files = {.named = named};
    struct aws_config config;
    struct fault fault = {0};
    files.config = file_of(bytes, cut, files.config_path);
    files.credentials = file_of(bytes + cut, size - cut, files.credentials_path);
    enum status const status = aws_config_load(variable, &files, &config, &fault);
    if (status == STATUS_OK) {
        expect(config.profile_was_named == named && (config.profile != NULL || !named));
        for (const struct aws_profile *p = config.profiles; p != NULL; p = p->next)
            expect(aws_config_profile(&config, p->name) == p);
        expect(config.region == NULL || config.region[0] != '\0');
        expect(config.endpoint_url == NULL || config.endpoint_url[0] != '\0');
    } else {
        expect(status == STATUS_RIGHTS && fault.message[0] != '\0' && config.profiles == NULL);
    }
    aws_config_free(&config);
    close(files.config);
    close(files.credentials);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint8_t const choice = data[0];
    const char *const bytes = (const char *)data + 1;
    check_ini(bytes, size - 1, (choice & 1) != 0);
    check_config(bytes, size - 1, (size - 1) * (choice >> 2) / 63, (choice & 2) != 0);
    return 0;
}
