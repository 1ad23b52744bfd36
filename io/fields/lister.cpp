#include "wording.hpp"

#include <fmt/format.h>

namespace gemel::io {

namespace {

class FieldLister : public Fields {
public:
    FieldLister(std::string prefix, std::vector<FieldRow>& rows)
        : prefix_(std::move(prefix)),
          rows_(rows) {}

    void text(const Field& field, std::string&) override { add(field, "text"); }
    void texts(const Field& field, std::vector<std::string>&) override {
        add(field, "list of texts");
    }
    void number(const Field& field, double&) override { add(field, "number"); }
    void integer(const Field& field, std::int64_t&) override { add(field, "whole number"); }
    void flag(const Field& field, bool&) override { add(field, "true or false"); }
    void choice(const Field& field, const std::vector<std::string>& words, int&) override {
        add(field, fmt::format("one of {}", fmt::join(words, "|")));
    }
    void quantity(const Field& field, const sim::Dimension& dimension, sim::Quantity&) override {
        add(field, "quantity of " + without_article(dimension.name()));
    }
    void quantities(const Field& field,
                    const sim::Dimension& dimension,
                    std::vector<sim::Quantity>&) override {
        add(field, "list of quantities of " + without_article(dimension.name()));
    }
    void unit(const Field& field, sim::Unit&) override { add(field, "unit"); }
    void source(const Field& field, sim::SourceText&) override { add(field, "expression"); }

    void table(const Field& field, const Describe& describe) override {
        add(field, "table");
        FieldLister inner(path(field), rows_);
        describe(inner);
    }
    void keyed(const Field& field, const DescribeKeyed& describe) override {
        add(field, "tables by name");
        FieldLister inner(path(field) + ".NAME", rows_);
        describe("NAME", inner);
    }
    void list(const Field& field, const Describe& describe) override {
        add(field, "list of tables");
        FieldLister inner(path(field) + "[]", rows_);
        describe(inner);
    }
    void any(const Field& field,
             const std::string& shapes,
             const std::function<void(const TomlView&)>&) override {
        add(field, shapes);
    }

    bool has(const std::string&) const override { return false; }
    sim::SourceSpan span(const std::string&) const override { return {}; }
    void mistake(const std::string&, std::string, std::string) override {}
    void one_of(const std::vector<std::string>&, bool) override {}
    bool is_listing() const override { return true; }

private:
    std::string path(const Field& field) const {
        return prefix_.empty() ? field.name : prefix_ + '.' + field.name;
    }
    void add(const Field& field, std::string type) {
        rows_.push_back({path(field), std::move(type), field});
    }

    std::string prefix_;
    std::vector<FieldRow>& rows_;
};

/// A bar would end a cell of a Markdown table.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : text)
        escaped += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
    return escaped;
}

std::string about_cell(const FieldRow& row) {
    std::string about = row.field.about;
    const std::string range = describe_range(row.field, number_text);
    if (!range.empty()) about += fmt::format(" ({})", range);
    return cell(about);
}

} // namespace

std::vector<FieldRow> list_fields(const Fields::Describe& describe) {
    std::vector<FieldRow> rows;
    FieldLister lister({}, rows);
    describe(lister);
    return rows;
}

std::string reference_page(const std::string& title, const std::vector<FieldRow>& rows) {
    std::string page = fmt::format("# {}\n\n"
                                   "Made from the program's own descriptions. NAME stands for a "
                                   "name of your choice, [] for each element of a list.\n\n"
                                   "| key | value | needed | example | what it is |\n"
                                   "|---|---|---|---|---|\n",
                                   title);
    for (const FieldRow& row : rows)
        page += fmt::format("| `{}` | {} | {} | {} | {} |\n",
                            row.path,
                            cell(row.type),
                            row.field.required ? "yes" : "",
                            row.field.example.empty() ? "" : '`' + cell(row.field.example) + '`',
                            about_cell(row));
    return page;
}

} // namespace gemel::io
