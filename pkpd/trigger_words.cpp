#include "trigger_words.hpp"

#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace gemel::pkpd {
namespace {

const char* const when_help = "write an output, < or >, and a value, as in when = \"Cp < 2 mg/L\"";

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "2[mg/L]", as in expressions, is "2 mg/L".
std::string without_brackets(std::string text) {
    std::replace(text.begin(), text.end(), '[', ' ');
    text.erase(std::remove(text.begin(), text.end(), ']'), text.end());
    return text;
}

void read_when(const io::TomlView& view, io::Fields& fields, TriggerWords& words) {
    const std::optional<std::string> text = view.text();
    const std::size_t sign = text ? text->find_first_of("<>") : std::string::npos;
    if (sign == std::string::npos)
        return fields.mistake(
            "when",
            fmt::format("{} compares nothing",
                        text ? "\"" + *text + "\"" : std::string(name(view.kind()))),
            when_help);
    words.text = *text;
    words.output = trimmed(text->substr(0, sign));
    words.is_above = (*text)[sign] == '>';
    std::size_t after = sign + 1;
    // A level has no moment at which it is equal: <= is <.
    if (after < text->size() && (*text)[after] == '=') ++after;
    std::string why;
    const std::optional<sim::Quantity> threshold =
        sim::parse_quantity(trimmed(without_brackets(text->substr(after))), &why);
    if (!threshold || !std::isfinite(threshold->value))
        return fields.mistake(
            "when",
            fmt::format("the threshold in \"{}\" is not understood: {}", *text, why),
            when_help);
    words.threshold = threshold;
}

io::Field field(const char* name, const char* about, const char* example) {
    io::Field f;
    f.name = name;
    f.about = about;
    f.example = example;
    return f;
}

void describe_span(io::Fields& fields, const io::Field& f, std::optional<sim::Quantity>& span) {
    sim::Quantity value;
    fields.quantity(f, sim::time_dimension, value);
    if (fields.has(f.name) && value.unit.dimension == sim::time_dimension) span = value;
}

void check_without_when(io::Fields& fields) {
    for (const char* word : {"name", "wait", "delay", "at_most"})
        if (fields.has(word))
            fields.mistake(word,
                           fmt::format("`{}` belongs to `when`, which is not there", word),
                           "add when = \"Cp < 2 mg/L\", or leave it out");
}

void check_with_when(io::Fields& fields) {
    if (fields.has("steady_state"))
        fields.mistake("steady_state",
                       "what comes when a level crosses a threshold is of no steady state",
                       "leave it out");
    if (fields.has("every") && !fields.has("dose"))
        fields.mistake("every", "what is no dose is not repeated after `when`", "leave it out");
    if (fields.has("every") && !fields.has("count"))
        fields.mistake("every",
                       "`every` does not say how many doses come each time",
                       "add the number, as in count = 3; `until` ends the watch, not the doses");
    if (fields.has("count") && !fields.has("every"))
        fields.mistake("count",
                       "`count` says how many doses come each time, but no interval is given",
                       "to bound how often it comes write at_most = 5");
}

} // namespace

void describe_trigger(io::Fields& fields, std::optional<TriggerWords>& trigger) {
    TriggerWords words;
    fields.any(
        field("when",
              "it comes each time this becomes true, between `start` and `until`, instead of "
              "at a time: an output of the model, < or >, and a value",
              "\"Cp < 2 mg/L\""),
        "a comparison of an output with a value",
        [&](const io::TomlView& view) {
            words.span = view.span();
            read_when(view, fields, words);
        });
    io::Field wait = field("wait",
                           "with `when`: at least so long after it came last; then it comes again "
                           "while the comparison still holds",
                           "\"6 h\"");
    wait.at_least = 0.0;
    wait.exclusive = true;
    describe_span(fields, wait, words.wait);
    io::Field delay = field("delay", "with `when`: so long after the crossing; 0", "\"1 h\"");
    delay.at_least = 0.0;
    describe_span(fields, delay, words.delay);
    io::Field at_most = field("at_most", "with `when`: it comes at most so often", "10");
    at_most.at_least = 1;
    std::int64_t n = 0;
    fields.integer(at_most, n);
    if (fields.has("at_most") && n >= 1) words.at_most = n;
    fields.text(field("name", "with `when`: for outcomes, as in times_acted(rescue)", "\"rescue\""),
                words.name);
    if (!fields.has("when")) return check_without_when(fields);
    check_with_when(fields);
    trigger = words;
}

} // namespace gemel::pkpd
