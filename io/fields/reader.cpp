#include "wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace gemel::io {

namespace {

class FieldReader : public Fields {
public:
    FieldReader(TomlView table, sim::DiagnosticList& diagnostics)
        : table_(std::move(table)),
          diagnostics_(diagnostics) {}

    void text(const Field& field, std::string& value) override {
        if (const TomlView view = find(field); view.is_set()) read_text(field, view, value);
    }

    void texts(const Field& field, std::vector<std::string>& values) override {
        values_of<std::string>(field, values, [&](const TomlView& view, std::string& value) {
            return read_text(field, view, value);
        });
    }

    void number(const Field& field, double& value) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        const std::optional<double> number = view.number();
        if (!number) return expected(field, view, "a number");
        if (!std::isfinite(*number))
            return add(field.name, view, quoted(view, field) + " must be a finite number");
        if (!is_in_range(field, *number))
            return out_of_range(field, view, number_text(*number), number_text);
        value = *number;
    }

    void integer(const Field& field, std::int64_t& value) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        const std::optional<std::int64_t> whole = whole_number(view);
        if (!whole) return expected(field, view, "a whole number");
        if (!is_in_range(field, static_cast<double>(*whole)))
            return out_of_range(field, view, std::to_string(*whole), number_text);
        value = *whole;
    }

    void flag(const Field& field, bool& value) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (!view.boolean()) return expected(field, view, "true or false");
        value = *view.boolean();
    }

    void choice(const Field& field, const std::vector<std::string>& words, int& chosen) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (!view.text()) return expected(field, view, "a text");
        const auto at = std::find(words.begin(), words.end(), *view.text());
        if (at == words.end())
            return add(field.name,
                       view,
                       fmt::format("{} is \"{}\"; one of {} is expected",
                                   quoted(view, field),
                                   *view.text(),
                                   listed(words)),
                       near_help(*view.text(), words));
        chosen = static_cast<int>(at - words.begin());
    }

    void
    quantity(const Field& field, const sim::Dimension& dimension, sim::Quantity& value) override {
        if (const TomlView view = find(field); view.is_set())
            read_quantity(field, dimension, view, value);
    }

    void quantities(const Field& field,
                    const sim::Dimension& dimension,
                    std::vector<sim::Quantity>& values) override {
        values_of<sim::Quantity>(field, values, [&](const TomlView& view, sim::Quantity& value) {
            return read_quantity(field, dimension, view, value);
        });
    }

    void unit(const Field& field, sim::Unit& value) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (!view.text()) return expected(field, view, "a unit");
        std::string why;
        const std::optional<sim::Unit> unit = sim::parse_unit(*view.text(), &why);
        if (!unit)
            return add(
                field.name,
                view,
                fmt::format("{} is \"{}\", which is no unit{}",
                            quoted(view, field),
                            *view.text(),
                            why.empty() ? why : ": " + why),
                "units are written as in UCUM: \"mg\", \"mg/L\", \"L/h\", \"1/h\", \"1\" for a "
                "number without unit");
        value = *unit;
    }

    void source(const Field& field, sim::SourceText& value) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        const std::optional<sim::SourceText> text = view.source_text();
        if (!text) return expected(field, view, "a text");
        value = *text;
    }

    void table(const Field& field, const Describe& describe) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (view.kind() != TomlKind::table) return expected(field, view, "a table");
        read_fields(view, diagnostics_, describe);
    }

    void keyed(const Field& field, const DescribeKeyed& describe) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (view.kind() != TomlKind::table) return expected(field, view, "a table");
        for (const auto& [key, member] : view.members()) {
            if (member.kind() == TomlKind::table) {
                const auto describe_this = [&, &word = key](Fields& fields) {
                    describe(word, fields);
                };
                read_fields(member, diagnostics_, describe_this);
            } else {
                diagnostics_.add(member.span(),
                                 fmt::format("'{}' is {}; a table is expected",
                                             member.path(),
                                             describe_value(member)),
                                 example_help(field));
            }
        }
    }

    void list(const Field& field, const Describe& describe) override {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (view.kind() == TomlKind::table)
            return add(
                field.name,
                view,
                fmt::format("{} is one table; a list of tables is expected", quoted(view, field)),
                fmt::format("write [[{}]] for each, or {} = [ {{ … }}, {{ … }} ]",
                            view.path(),
                            field.name));
        if (view.kind() != TomlKind::array) return expected(field, view, "a list of tables");
        for (const TomlView& element : view.elements()) {
            if (element.kind() == TomlKind::table)
                read_fields(element, diagnostics_, describe);
            else
                expected(field, element, "a table");
        }
    }

    void any(const Field& field,
             const std::string&,
             const std::function<void(const TomlView&)>& read) override {
        if (const TomlView view = find(field); view.is_set()) read(view);
    }

    bool has(const std::string& name) const override { return table_[name].is_set(); }

    sim::SourceSpan span(const std::string& name) const override {
        const TomlView view = name.empty() ? TomlView() : table_[name];
        return view.is_set() ? view.span() : table_.span();
    }

    void mistake(const std::string& name, std::string message, std::string help) override {
        if (!name.empty() && !reported_.insert(name).second) return;
        diagnostics_.add(span(name), std::move(message), std::move(help));
    }

    void one_of(const std::vector<std::string>& names, bool required) override {
        std::vector<std::string> present;
        std::copy_if(names.begin(), names.end(), std::back_inserter(present), [&](const auto& n) {
            return has(n);
        });
        if (present.size() > 1)
            diagnostics_.add(
                table_[present[1]].key_span(),
                fmt::format("'{}' and '{}' exclude each other{}", present[0], present[1], where()),
                fmt::format("keep one of {}", listed(present)));
        if (present.empty() && required)
            diagnostics_.add(table_.span(),
                             fmt::format("one of {} is missing{}", listed(names), where()));
    }

    bool is_listing() const override { return false; }

    void complain_about_unknown_keys() {
        const std::vector<std::string> names(known_.begin(), known_.end());
        for (const auto& [key, member] : table_.members())
            if (!known_.contains(key))
                diagnostics_.add(member.key_span(),
                                 fmt::format("unknown key '{}'{}", key, where()),
                                 sim::suggest(key, names));
    }

private:
    TomlView find(const Field& field) {
        known_.insert(field.name);
        const TomlView view = table_[field.name];
        if (!view.is_set() && field.required && reported_.insert(field.name).second)
            diagnostics_.add(table_.span(),
                             fmt::format("'{}' is missing{}", field.name, where()),
                             example_help(field));
        return view;
    }

    bool read_text(const Field& field, const TomlView& view, std::string& value) {
        if (!view.text()) return expected(field, view, "a text"), false;
        value = *view.text();
        return true;
    }

    bool read_quantity(const Field& field,
                       const sim::Dimension& dimension,
                       const TomlView& view,
                       sim::Quantity& value) {
        const std::string expects = dimension.name();
        if (view.number() && !dimension.is_dimensionless())
            return unit_missing(field, view, number_text(*view.number())), false;
        if (!view.text() && !view.number()) return expected(field, view, expects), false;
        std::string why;
        const std::optional<sim::Quantity> quantity = view.number()
                                                          ? sim::Quantity{*view.number(), {}}
                                                          : sim::parse_quantity(*view.text(), &why);
        if (!quantity) return no_quantity(field, view, expects, why), false;
        if (!(quantity->unit.dimension == dimension))
            return wrong_dimension(field, view, *quantity, expects), false;
        if (!std::isfinite(quantity->value))
            return add(field.name, view, quoted(view, field) + " must be finite"), false;
        const auto in_its_unit = [&](double coherent) {
            const std::string text = number_text(coherent / quantity->unit.factor);
            return quantity->unit.text == "1" ? text : text + ' ' + quantity->unit.text;
        };
        if (!is_in_range(field, quantity->value * quantity->unit.factor)) {
            const std::string stands =
                view.text() ? '"' + *view.text() + '"' : number_text(quantity->value);
            return out_of_range(field, view, stands, in_its_unit), false;
        }
        value = *quantity;
        return true;
    }

    void wrong_dimension(const Field& field,
                         const TomlView& view,
                         const sim::Quantity& quantity,
                         const std::string& expects) {
        if (quantity.unit.text == "1") return unit_missing(field, view, *view.text());
        add(field.name,
            view,
            fmt::format("{} is {} ({}); {} is expected",
                        quoted(view, field),
                        view.text() ? '"' + *view.text() + '"' : number_text(quantity.value),
                        quantity.unit.dimension.name(),
                        such_as(field, expects)));
    }

    /// The unit offered is the example's.
    void unit_missing(const Field& field, const TomlView& view, const std::string& number) {
        std::string example = field.example;
        std::erase(example, '"');
        const std::optional<sim::Quantity> shown = sim::parse_quantity(example);
        const bool has_unit = shown && shown->unit.text != "1";
        add(field.name,
            view,
            fmt::format("the unit of {} is missing", quoted(view, field)),
            has_unit ? fmt::format("write \"{} {}\"", number, shown->unit.text)
                     : "write it after the number, both in quotation marks");
    }

    void no_quantity(const Field& field,
                     const TomlView& view,
                     const std::string& expects,
                     const std::string& why) {
        add(field.name,
            view,
            fmt::format("{} is \"{}\"; {} is expected",
                        quoted(view, field),
                        *view.text(),
                        such_as(field, expects)),
            why);
    }

    template <typename T, typename Read>
    void values_of(const Field& field, std::vector<T>& values, const Read& read) {
        const TomlView view = find(field);
        if (!view.is_set()) return;
        if (view.kind() != TomlKind::array) return expected(field, view, "a list");
        std::vector<T> result;
        bool all_right = true;
        for (const TomlView& element : view.elements()) {
            T value{};
            all_right = read(element, value) && all_right;
            result.push_back(std::move(value));
        }
        if (all_right) values = std::move(result);
    }

    /// 1e4 is a whole number, too.
    static std::optional<std::int64_t> whole_number(const TomlView& view) {
        constexpr double exact_below = 9007199254740992.0; // 2^53
        if (view.integer()) return view.integer();
        const std::optional<double> number = view.number();
        if (!number || !(std::abs(*number) < exact_below) || *number != std::floor(*number))
            return std::nullopt;
        return static_cast<std::int64_t>(*number);
    }

    void expected(const Field& field, const TomlView& view, const std::string& what) {
        add(field.name,
            view,
            fmt::format("{} is {}; {} is expected",
                        quoted(view, field),
                        describe_value(view),
                        such_as(field, what)));
    }

    void out_of_range(const Field& field,
                      const TomlView& view,
                      const std::string& stands,
                      const std::function<std::string(double)>& print) {
        add(field.name,
            view,
            fmt::format("{} is {}; it must be {}",
                        quoted(view, field),
                        stands,
                        describe_range(field, print)));
    }

    /// Several elements of one list may each be wrong; a second report of one value is dropped.
    void
    add(const std::string& key, const TomlView& view, std::string message, std::string help = {}) {
        const bool is_element = view.path() != table_[key].path();
        const bool is_first = reported_.insert(key).second;
        if (is_first || is_element)
            diagnostics_.add(view.span(), std::move(message), std::move(help));
    }

    /// 'every', or 'at[2]' for an element of a list.
    static std::string quoted(const TomlView& view, const Field& field) {
        const std::string path = view.path();
        const bool is_element = path.ends_with(']');
        const auto bracket = path.rfind('[');
        return '\'' + field.name + (is_element ? path.substr(bracket) : std::string()) + '\'';
    }

    static std::string such_as(const Field& field, const std::string& what) {
        const bool has_short_example = !field.example.empty() && field.example.size() <= 60 &&
                                       field.example.find('\n') == std::string::npos;
        return has_short_example ? what + " such as " + field.example : what;
    }

    static std::string example_help(const Field& field) {
        if (field.example.empty()) return {};
        return fmt::format("for example: {} = {}", field.name, field.example);
    }

    static std::string listed(const std::vector<std::string>& words) {
        return fmt::format("'{}'", fmt::join(words, "', '"));
    }

    /// Only a near word helps: the words themselves are in the message.
    static std::string near_help(const std::string& word, const std::vector<std::string>& words) {
        const std::string near = sim::nearest_name(word, words);
        return near.empty() ? near : fmt::format("did you mean '{}'?", near);
    }

    std::string where() const {
        const std::string path = table_.path();
        if (path.empty()) return {};
        return path.ends_with(']') ? " in " + path : " in [" + path + ']';
    }

    TomlView table_;
    sim::DiagnosticList& diagnostics_;
    std::set<std::string> known_;
    std::set<std::string> reported_;
};

} // namespace

void read_fields(const TomlView& table,
                 sim::DiagnosticList& diagnostics,
                 const Fields::Describe& describe) {
    FieldReader reader(table, diagnostics);
    describe(reader);
    reader.complain_about_unknown_keys();
}

} // namespace gemel::io
