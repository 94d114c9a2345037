/* bench_on_demand.cpp - what a C++ programmer writes in an hour: job A by simdjson's On-Demand parser, its
 * fields hard-coded.
 *
 *   bench_on_demand INPUT OUTPUT THREADS
 *
 * No options, no checks beyond the parser's own, no message for a bad record but their number. A peer of
 * bench/peers: it shares no code with the product, and is the one program here in C++, for that is how
 * On-Demand is used. One thread reads, or THREADS take slices of the mapped file side by side, which are
 * written in order. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace simdjson;

namespace
{

constexpr size_t slice_bytes =
    4u << 20; /* one task of a thread: fits an outer cache together with its rows */
constexpr size_t record_bytes = 1u << 20; /* the longest record that the parser makes room for at once */

constexpr size_t columns = 16;

struct slice {
    const char *begin, *end;
    std::string rows;
    unsigned long bad = 0;
};

/* The cells of a row, as they are found; they are written in the columns' order. */
struct cells {
    std::string texts[columns];
    void clear()
    {
        for (std::string &text : texts)
            text.clear();
    }
};

void put_text(std::string &out, std::string_view text)
{
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
        out.append(text);
        return;
    }
    out.push_back('"');
    for (char c : text) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
}

/* Nothing for null, for a missing value, and for what is below a missing one. */
void put(std::string &out, simdjson_result<ondemand::value> found)
{
    ondemand::value value;
    std::string_view text;
    if (found.get(value) || value.is_null()) return;
    if (!value.get_string().get(text)) {
        put_text(out, text);
        return;
    }
    text = value.raw_json_token();
    while (!text.empty() && strchr(" \t\r\n", text.back()) != nullptr)
        text.remove_suffix(1);
    put_text(out, text);
}

using field = simdjson_result<ondemand::value>;

/* In the order in which these profiles have their fields: each look-up goes on where the last one ended. */
void find(std::string *text, ondemand::object record)
{
    put(text[15], record["_repo"]["modifyDate"]);
    field name = record["person"]["name"];
    put(text[1], name["firstName"]);
    put(text[2], name["lastName"]);
    put(text[3], record["personalEmail"]["address"]);
    put(text[4], record["mobilePhone"]["number"]);
    field home = record["homeAddress"];
    put(text[5], home["street1"]);
    put(text[6], home["city"]);
    put(text[7], home["postalCode"]);
    put(text[8], home["countryCode"]);
    put(text[14], record["consents"]["marketing"]["email"]["val"]);
    put(text[0], record["identityMap"]["customerid"].at(0)["id"]);
    field own = record["_acme"];
    field loyalty = own["loyalty"];
    put(text[9], loyalty["tier"]);
    put(text[10], loyalty["points"]);
    put(text[11], own["churnScore"]);
    put(text[12], own["lifetimeValue"]);
    put(text[13], own["preferredStore"]);
}

void put_row(std::string &out, cells *row, ondemand::object record)
{
    row->clear();
    find(row->texts, record);
    for (size_t i = 0; i < columns; i++) {
        if (i > 0) out.push_back(',');
        out.append(row->texts[i]);
    }
    out.push_back('\n');
}

void convert(slice *work)
{
    ondemand::parser parser;
    cells row;
    if (parser.allocate(record_bytes)) return; /* no memory: no rows, which the check of them finds */
    work->rows.reserve(slice_bytes / 4);
    for (const char *line = work->begin; line < work->end;) {
        auto *end = static_cast<const char *>(memchr(line, '\n', size_t(work->end - line)));
        if (end == nullptr) end = work->end;
        size_t const length = size_t(end - line);
        ondemand::document document;
        ondemand::object record;
        if (length > 0) {
            if (parser.iterate(line, length, length + SIMDJSON_PADDING).get(document) ||
                document.get_object().get(record)) {
                work->bad++;
            } else {
                put_row(work->rows, &row, record);
            }
        }
        line = end + 1;
    }
}

/* The file, and a page of zeros behind it: the parser looks past the end of a record. */
const char *mapped(const char *path, size_t *size)
{
    struct stat facts;
    int const file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &facts) != 0) return nullptr;
    *size = size_t(facts.st_size);
    void *room = mmap(nullptr, *size + 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || *size == 0) return nullptr;
    void *bytes = mmap(room, *size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
    return bytes == MAP_FAILED ? nullptr : static_cast<const char *>(bytes);
}

/* The next slices, one for each thread, cut behind a line; fewer at the end of the file. */
std::vector<slice> cut(const char **at, const char *end, unsigned threads)
{
    std::vector<slice> slices;
    while (slices.size() < threads && *at < end) {
        const char *stop = end;
        if (size_t(end - *at) > slice_bytes) {
            auto *line_end =
                static_cast<const char *>(memchr(*at + slice_bytes, '\n', size_t(end - *at) - slice_bytes));
            if (line_end != nullptr) stop = line_end + 1;
        }
        slices.push_back({*at, stop, {}});
        *at = stop;
    }
    return slices;
}

} // namespace

int main(int argc, char **argv)
{
    size_t size = 0;
    const char *bytes = argc == 4 ? mapped(argv[1], &size) : nullptr;
    FILE *out = argc == 4 ? fopen(argv[2], "wb") : nullptr;
    unsigned const threads = argc == 4 ? unsigned(strtoul(argv[3], nullptr, 10)) : 0;
    if (bytes == nullptr || out == nullptr || threads < 1 || threads > 64) {
        fputs("usage: bench_on_demand INPUT OUTPUT THREADS (1 to 64)\n", stderr);
        return 2;
    }
    setvbuf(out, nullptr, _IONBF, 0);
    fputs(
        "CustomerID,FirstName,LastName,Email,Phone,Street,City,PostalCode,Country,LoyaltyTier,LoyaltyPoints,"
        "ChurnScore,LifetimeValue,PreferredStore,EmailConsent,ModifyDate\n",
        out);
    unsigned long bad = 0;
    for (const char *at = bytes; at < bytes + size;) {
        std::vector<slice> slices = cut(&at, bytes + size, threads);
        std::vector<std::thread> others;
        for (size_t i = 1; i < slices.size(); i++)
            others.emplace_back(convert, &slices[i]);
        convert(&slices[0]);
        for (std::thread &other : others)
            other.join();
        for (slice const &done : slices) {
            fwrite(done.rows.data(), 1, done.rows.size(), out);
            bad += done.bad;
        }
    }
    if (bad != 0) fprintf(stderr, "%lu bad records\n", bad);
    return fclose(out) == 0 ? 0 : 1;
}
