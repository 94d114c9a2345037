/* record_walk.cpp - the C API of record_walk.h over simdjson; the only C++ of the program.
 *
 * Thread: one parser a thread. Owns stage 1's index and On-Demand's buffers. Nothing allocates after create.
 * simdjson's internals are used in one place: Stage1 below (dom_parser_implementation is what simdjson's own
 * parsers stand on). They are not a promise of the library, hence the version check.
 *
 * On-Demand's own checks are those of an object or array that is iterated: keys, colons, commas. It trusts
 * the brackets of what it skips, so check_nesting() goes over them first. */
#include "core/record/record_walk.h"

#include "core/base/limits.h"
#include "core/record/json_container.h"
#include "core/record/json_equal.h"
#include "core/record/json_text.h"
#include "core/record/structurals.h"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3, "written for simdjson 3: look at Stage1 again");
static_assert(LIMIT_PADDING >= simdjson::SIMDJSON_PADDING, "windows need the padding that simdjson reads");

namespace ondemand = simdjson::ondemand;
using Stage1 = simdjson::internal::dom_parser_implementation;

struct record_parser {
    std::unique_ptr<Stage1> stage1;
    ondemand::parser parser;
    std::unique_ptr<uint8_t[]> brackets; /* depth_max */
    std::unique_ptr<uint8_t[]> key;      /* an unescaped key */
    size_t capacity = 0;
    uint32_t depth_max = 0;
    bool own_index = false; /* record_parser_index() by structurals.c */
};

namespace
{

constexpr size_t KEY_MAX = 6 * PATH_TEXT_MAX; /* raw bytes; a longer key can't match a path */

bool stage1_run(record_parser &self, const uint8_t *bytes, size_t length)
{
    return self.stage1->stage1(bytes, length, simdjson::stage1_mode::regular) == simdjson::SUCCESS;
}

/* simdjson would run the kernel that structurals.c stands in for. */
bool wants_own_index()
{
    return structurals_here() && simdjson::get_active_implementation()->name() == "haswell";
}

bool is_good(const simdjson::implementation &kernel)
{
    return kernel.name() != "fallback" && kernel.name() != "unsupported" &&
           kernel.supported_by_runtime_system();
}

/* The index that stage 1 would make, where it would make it. */
bool own_index(record_parser &self, const uint8_t *bytes, size_t length, size_t *count)
{
    return structurals_find(bytes, length, self.stage1->structural_indexes.get(), count);
}

bool simdjson_index(record_parser &self, const uint8_t *bytes, size_t length, size_t *count)
{
    simdjson::error_code const error = self.stage1->stage1(bytes, length, simdjson::stage1_mode::regular);
    *count = self.stage1->n_structural_indexes;
    return error == simdjson::SUCCESS || error == simdjson::EMPTY; /* nothing but blanks */
}

/* Brackets match, nest at most depth_max deep, and the first one closes with the last token. */
bool check_nesting(record_parser &self, const uint8_t *bytes)
{
    const uint32_t *const tokens = self.stage1->structural_indexes.get();
    uint32_t depth = 0;
    for (uint32_t i = 0; i < self.stage1->n_structural_indexes; i++) {
        uint8_t const byte = bytes[tokens[i]];
        if (depth == 0 && i != 0) return false;
        if (byte == '{' || byte == '[') {
            if (depth == self.depth_max) return false;
            self.brackets[depth++] = byte;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0 || self.brackets[--depth] + 2 != byte) return false;
        }
    }
    return depth == 0;
}

/* The walk over one record. Members return false at the first error. */
class Walk
{
  public:
    Walk(record_parser &self, struct cells *cells, const uint8_t *bytes, size_t length)
        : self_(self), cells_(*cells), plan_(*cells->plan), bytes_(bytes), end_(bytes + length)
    {
    }

    bool object(ondemand::object object, uint32_t id)
    {
        const plan_node &node = plan_.nodes[id];
        uint64_t const number = ++cells_.object;
        for (auto &&item : object) {
            ondemand::field field;
            if (std::move(item).get(field) != simdjson::SUCCESS) return false;
            if (!member(field, node, number)) return false;
        }
        if (node.branches) cells_leave_object(&cells_, number);
        return true;
    }

    bool array(ondemand::array array, uint32_t id)
    {
        const plan_node &node = plan_.nodes[id];
        int64_t count = 0;
        if (node.negative) {
            size_t elements;
            if (array.count_elements().get(elements) != simdjson::SUCCESS) return false;
            count = int64_t(elements);
        }
        int64_t index = 0;
        for (auto &&item : array) {
            ondemand::value element;
            if (std::move(item).get(element) != simdjson::SUCCESS) return false;
            if (!array_element(element, node, index++, count)) return false;
        }
        return true;
    }

  private:
    record_parser &self_;
    struct cells &cells_;
    const plan &plan_;
    const uint8_t *bytes_, *end_;

    struct Value;

    struct Member {
        uint32_t node = PLAN_NONE;
        uint32_t twin = PLAN_NONE; /* that the key leads to without its prefix, beside the node */
        bool exact = true;
    };

    static const uint8_t *bytes_of(std::string_view text)
    {
        return reinterpret_cast<const uint8_t *>(text.data());
    }

    /* The token without the blanks behind it. */
    static std::string_view token_of(ondemand::value value)
    {
        std::string_view token = value.raw_json_token();
        while (!token.empty() && json_is_blank(uint8_t(token.back())))
            token.remove_suffix(1);
        return token;
    }

    static uint32_t find(const plan_node &node, const uint8_t *key, uint32_t length)
    {
        return node.fold ? plan_find_fold(&node, key, length) : plan_find(&node, key, length);
    }

    /* A key's bytes end at its closing quote. */
    uint32_t key_length(const uint8_t *key) const
    {
        const uint8_t *at = key;
        while (at < end_ && *at != '"')
            at += *at == '\\' ? 2 : 1;
        return uint32_t(at - key);
    }

    bool find_member(const plan_node &node, const uint8_t *key, uint32_t length, Member &member)
    {
        if (memchr(key, '\\', length) != nullptr) {
            json_string string;
            uint8_t *const out = length <= KEY_MAX ? self_.key.get() : nullptr;
            if (!json_unescape(key, length, out, &string)) return false;
            if (out == nullptr || string.lone_surrogate != SIZE_MAX) return true;
            key = out;
            length = uint32_t(string.length);
        }
        member.node = find(node, key, length);
        if (length < 4 || memcmp(key, "xdm:", 4) != 0) return true;
        uint32_t const rest = find(node, key + 4, length - 4);
        member.exact = member.node != PLAN_NONE;
        (member.exact ? member.twin : member.node) = rest;
        return true;
    }

    bool member(ondemand::field &field, const plan_node &node, uint64_t number)
    {
        const uint8_t *const key = reinterpret_cast<const uint8_t *>(field.key().raw());
        uint32_t const length = key_length(key);
        Member found, folded;
        if (!find_member(node, key, length, found)) return false;
        if (found.node == PLAN_NONE && !node.several) return skip(field.value());
        if (node.folded != PLAN_NONE && !find_member(plan_.nodes[node.folded], key, length, folded))
            return false;
        Value value;
        if (!value.take(field.value())) return false;
        if (!enter(value, found.node, found.exact, number, key, length)) return false;
        if (!enter(value, found.twin, false, number, key, length)) return false;
        if (!enter(value, folded.node, folded.exact, number, key, length)) return false;
        if (!enter(value, folded.twin, false, number, key, length)) return false;
        if (!node.branches) return true;
        uint32_t const number_of_member = cells_enter_member(&cells_, number, &node, key, length);
        bool const good = branches(value, node);
        cells_leave_member(&cells_, number_of_member);
        return good;
    }

    /* Walks the value of a member whose key leads to `node` (PLAN_NONE: nowhere), if it counts. */
    bool enter(Value &value, uint32_t node, bool exact, uint64_t number, const uint8_t *key, uint32_t length)
    {
        if (node == PLAN_NONE) return true;
        if (!plan_.nodes[node].under_fold)
            return !cells_enter(&cells_, number, node, exact) || this->value(value, node);
        if (!cells_enter_fold(&cells_, number, node, exact, key, length)) return true;
        bool const good = this->value(value, node);
        cells_leave_fold(&cells_, node);
        return good;
    }

    /* A value that nothing selects. On-Demand passes over it by itself, but takes a string before a colon for
     * a key: strings are consumed here. */
    static bool skip(ondemand::value value)
    {
        uint8_t const first = uint8_t(value.raw_json_token().front());
        if (first == ',' || first == ':' || first == ']' || first == '}') return false;
        if (first != '"') return true;
        ondemand::raw_json_string ignored;
        return value.get_raw_json_string().get(ignored) == simdjson::SUCCESS;
    }

    /* A value that can be walked more than once: On-Demand's containers are opened when a walk first enters
     * them and reset before it enters them again, its scalars are read from their token. A container that no
     * walk enters stays closed: On-Demand passes over it by its brackets then, whatever is between them. */
    struct Value {
        std::string_view token; /* of a scalar; begins where the value begins */
        ondemand::value closed;
        ondemand::object object;
        ondemand::array array;
        uint8_t first = 0;
        bool opened = false;

        bool take(ondemand::value value)
        {
            closed = value;
            token = token_of(value);
            if (token.empty()) return false;
            first = uint8_t(token.front());
            if (first == '{' || first == '[') return true;
            return (first != '"' || (token.size() >= 2 && token.back() == '"')) && skip(value);
        }

        template <class Container> bool rewind(Container &container)
        {
            if (opened) return container.reset().error() == simdjson::SUCCESS;
            opened = true;
            return closed.get(container) == simdjson::SUCCESS;
        }
    };

    bool branches(Value &value, const plan_node &node)
    {
        if (node.wildcard != PLAN_NONE && !this->value(value, node.wildcard)) return false;
        for (uint32_t i = 0; i < node.filter_count; i++)
            if (!filter(value, node.filters[i])) return false;
        return true;
    }

    bool array_element(ondemand::value &element, const plan_node &node, int64_t index, int64_t count)
    {
        bool selected = node.branches;
        for (uint32_t i = 0; i < node.index_count; i++)
            selected = selected || matches(node.indexes[i], index, count);
        if (!selected) return skip(element);
        Value value;
        if (!value.take(element)) return false;
        for (uint32_t i = 0; i < node.index_count; i++)
            if (matches(node.indexes[i], index, count) && !this->value(value, node.indexes[i].node))
                return false;
        return branches(value, node);
    }

    static bool matches(const plan_index &wanted, int64_t index, int64_t count)
    {
        return wanted.index == index || (wanted.index < 0 && wanted.index + count == index);
    }

    bool filter(Value &value, const plan_filter &filter)
    {
        const plan_node &test = plan_.nodes[filter.test_node];
        cells_clear(&cells_, test.slot_first, test.slot_end);
        if (!this->value(value, filter.test_node)) return false;
        const cell &found = cells_.slots[filter.test_slot];
        if (found.at == nullptr) return true;
        size_t bad;
        if (!json_is_value(found.at, found.length, self_.brackets.get(), self_.depth_max)) return false;
        if (cells_compared(&cells_, found.at, found.length, &bad) != DEFECT_NONE) return false;
        if (!json_equal(found.at, found.length, (const uint8_t *)filter.literal, filter.literal_length))
            return true;
        return this->value(value, filter.node);
    }

    bool value(Value &value, uint32_t id)
    {
        const plan_node &node = plan_.nodes[id];
        bool const is_object = value.first == '{', is_array = value.first == '[';
        if (is_object && node.enters_object && (!value.rewind(value.object) || !object(value.object, id)))
            return false;
        if (is_array && node.enters_array && (!value.rewind(value.array) || !array(value.array, id)))
            return false;
        if (node.slot == PLAN_NONE) return true;
        std::string_view const text =
            is_object || is_array ? container_text(bytes_of(value.token)) : value.token;
        cells_put(&cells_, node.slot, node.many, bytes_of(text), uint32_t(text.size()));
        return true;
    }

    /* From a bracket to the one that closes it; check_nesting() found that they match. */
    std::string_view container_text(const uint8_t *open) const
    {
        const uint32_t *const tokens = self_.stage1->structural_indexes.get();
        const uint32_t *token =
            std::lower_bound(tokens, tokens + self_.stage1->n_structural_indexes, uint32_t(open - bytes_));
        for (uint32_t depth = 0;; token++) {
            uint8_t const byte = bytes_[*token];
            depth += byte == '{' || byte == '[';
            depth -= byte == '}' || byte == ']';
            if (depth == 0) return {reinterpret_cast<const char *>(open), size_t(bytes_ + *token + 1 - open)};
        }
    }
};

} // namespace

size_t record_parser_index_bytes(size_t capacity, uint32_t depth_max)
{
    return (capacity + 64 + 9) * sizeof(uint32_t) + depth_max + KEY_MAX + 8 + sizeof(record_parser);
}

size_t record_parser_bytes(size_t capacity, uint32_t depth_max)
{
    size_t const offsets = (capacity + 64 + 9) * sizeof(uint32_t);
    size_t const strings = capacity * 5 / 3 + 2 * simdjson::SIMDJSON_PADDING;
    return record_parser_index_bytes(capacity, depth_max) + offsets + strings + size_t(depth_max) * 16;
}

struct record_parser *record_parser_create_index(size_t capacity, uint32_t depth_max)
{
    std::unique_ptr<record_parser> self(new (std::nothrow) record_parser);
    if (!self) return nullptr;
    self->capacity = capacity;
    self->depth_max = depth_max;
    self->own_index = wants_own_index();
    self->brackets.reset(new (std::nothrow) uint8_t[depth_max]);
    self->key.reset(new (std::nothrow) uint8_t[KEY_MAX + 8]());
    if (!self->brackets || !self->key) return nullptr;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, self->stage1) !=
        simdjson::SUCCESS)
        return nullptr;
    return self.release();
}

struct record_parser *record_parser_create(size_t capacity, uint32_t depth_max)
{
    std::unique_ptr<record_parser> self(record_parser_create_index(capacity, depth_max));
    if (!self || self->parser.allocate(capacity, depth_max) != simdjson::SUCCESS) return nullptr;
    return self.release();
}

void record_parser_destroy(struct record_parser *parser)
{
    delete parser;
}

bool record_parser_index(struct record_parser *parser, const uint8_t *bytes, size_t length,
                         struct record_index *index)
{
    static const uint32_t none[RECORD_INDEX_BEHIND] = {0};
    *index = {none, 0};
    if (length == 0) return true;
    if (length > parser->capacity) return false;
    size_t count;
    bool const clean = parser->own_index ? own_index(*parser, bytes, length, &count)
                                         : simdjson_index(*parser, bytes, length, &count);
    if (!clean) return false;
    uint32_t *const tokens = parser->stage1->structural_indexes.get(); /* room for 9 more than `capacity` */
    for (size_t i = 0; i < RECORD_INDEX_BEHIND; i++)
        tokens[count + i] = uint32_t(length);
    *index = {tokens, count};
    return true;
}

uint32_t *record_parser_tokens(struct record_parser *parser)
{
    return parser->stage1->structural_indexes.get();
}

bool record_is_utf8(const uint8_t *bytes, size_t length)
{
    return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length);
}

bool record_walk(struct record_parser *parser, const uint8_t *bytes, size_t length, struct cells *cells)
{
    if (length == 0 || length > parser->parser.capacity()) return false; /* it would allocate */
    if (!stage1_run(*parser, bytes, length) || !check_nesting(*parser, bytes)) return false;
    ondemand::document document;
    simdjson::padded_string_view const text(bytes, length, length + simdjson::SIMDJSON_PADDING);
    if (parser->parser.iterate(text).get(document) != simdjson::SUCCESS) return false;
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    Walk walk(*parser, cells, bytes, length);
    return walk.object(object, 0) && !cells->overflow;
}

void record_parser_kernel(char *name, size_t size)
{
    std::string const active = simdjson::get_active_implementation()->name();
    name[active.copy(name, size - 1)] = '\0';
}

bool record_parser_kernel_is_good(void)
{
    return is_good(*simdjson::get_active_implementation());
}

void record_parser_kernels(char *names, size_t size)
{
    std::string list;
    for (const simdjson::implementation *const kernel : simdjson::get_available_implementations())
        if (is_good(*kernel)) list += (list.empty() ? "" : ", ") + kernel->name();
    names[list.copy(names, size - 1)] = '\0';
}

const char *record_parser_version(void)
{
    return SIMDJSON_STRINGIFY(SIMDJSON_VERSION);
}
