#include "nca/nca_print.hpp"

#include "json_text.hpp"

#include <gemel/io/csv.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

namespace gemel::scenarios {

namespace {

std::string with_unit_of(const NcaColumn& column) {
    return column.unit.empty() || column.unit == "1"
               ? column.name
               : fmt::format("{} [{}]", column.name, column.unit);
}

/// Four significant digits; "–" for NaN.
std::string four_digits(double value) {
    return std::isnan(value) ? "–" : fmt::format("{:.4g}", value);
}

class TablePrinter : public NcaPrinter {
public:
    TablePrinter(std::vector<std::string> label_names,
                 std::vector<NcaColumn> columns,
                 std::ostream& out)
        : label_names_(std::move(label_names)),
          columns_(std::move(columns)),
          out_(out) {}

    void add(const NcaRow& row) override {
        if (n_++ < most_rows) rows_.push_back(row);
        is_weighted_ = is_weighted_ || row.weight != 1.0;
    }

    void end(const std::vector<NcaGroup>& groups) override {
        if (n_ <= most_rows)
            print_profiles();
        else
            out_ << fmt::format("{} profiles; --format csv or json gives each of them\n", n_);
        for (const NcaGroup& group : groups)
            print_group(group);
    }

private:
    static constexpr std::size_t most_rows = 60;

    bool has_values(std::size_t column) const {
        return std::any_of(rows_.begin(), rows_.end(), [&](const NcaRow& row) {
            return !std::isnan(row.values[column]);
        });
    }

    void print_profiles() {
        std::vector<std::size_t> shown;
        for (std::size_t c = 0; c < columns_.size(); ++c)
            if (columns_[c].is_chosen && has_values(c)) shown.push_back(c);
        std::vector<std::vector<std::string>> table{label_names_};
        std::vector<std::string> units(label_names_.size());
        for (const std::size_t c : shown) {
            table[0].push_back(columns_[c].name);
            units.push_back(columns_[c].unit == "1" ? "" : columns_[c].unit);
        }
        if (std::any_of(units.begin(), units.end(), [](const auto& u) { return !u.empty(); }))
            table.push_back(units);
        for (const NcaRow& row : rows_) {
            table.push_back(row.labels);
            for (const std::size_t c : shown)
                table.back().push_back(four_digits(row.values[c]));
        }
        out_ << text_table(table);
        print_notes();
    }

    void print_notes() {
        std::map<std::string, std::vector<std::string>> by_note;
        for (const NcaRow& row : rows_)
            for (const std::string& note : row.notes)
                by_note[note].push_back(fmt::format("{}", fmt::join(row.labels, " ")));
        if (!by_note.empty()) out_ << '\n';
        for (const auto& [note, rows] : by_note)
            out_ << fmt::format("  {}: {}\n", note, fmt::join(rows, ", "));
    }

    void print_group(const NcaGroup& group) {
        std::vector<std::vector<std::string>> table{{"parameter",
                                                     "unit",
                                                     "n",
                                                     "geo. mean",
                                                     "geo. CV %",
                                                     "mean",
                                                     "SD",
                                                     "median",
                                                     "min",
                                                     "max"}};
        for (std::size_t c = 0; c < columns_.size(); ++c)
            if (group.of[c].n() > 0) table.push_back(summary_row(columns_[c], group.of[c]));
        std::string heading = is_weighted_ ? "\nSummary by weight" : "\nSummary";
        for (std::size_t i = 0; i < group.labels.size(); ++i)
            if (!group.labels[i].empty())
                heading += fmt::format(", {} {}", label_names_[i], group.labels[i]);
        out_ << heading << "\n\n" << text_table(table);
    }

    static std::vector<std::string> summary_row(const NcaColumn& column, const NcaSummary& s) {
        std::vector<std::string> row{
            column.name, column.unit == "1" ? "" : column.unit, std::to_string(s.n())};
        for (const double value :
             {s.geometric_mean(), s.geometric_cv(), s.mean(), s.sd(), s.median(), s.min(), s.max()})
            row.push_back(four_digits(value));
        return row;
    }

    std::vector<std::string> label_names_;
    std::vector<NcaColumn> columns_;
    std::ostream& out_;
    std::vector<NcaRow> rows_;
    std::size_t n_ = 0;
    bool is_weighted_ = false;
};

class CsvPrinter : public NcaPrinter {
public:
    CsvPrinter(const std::vector<std::string>& label_names,
               const std::vector<NcaColumn>& columns,
               std::ostream& out)
        : csv_(out, headers(label_names, columns)) {}

    void add(const NcaRow& row) override {
        for (const std::string& label : row.labels)
            csv_.cell(label);
        for (const double value : row.values)
            csv_.cell(value);
        csv_.cell(fmt::format("{}", fmt::join(row.notes, "; ")));
        csv_.end_row();
    }

    void end(const std::vector<NcaGroup>&) override {}

private:
    static std::vector<std::string> headers(std::vector<std::string> names,
                                            const std::vector<NcaColumn>& columns) {
        for (const NcaColumn& column : columns)
            names.push_back(with_unit_of(column));
        names.push_back("notes");
        return names;
    }

    io::CsvWriter csv_;
};

class JsonPrinter : public NcaPrinter {
public:
    JsonPrinter(std::vector<std::string> label_names,
                std::vector<NcaColumn> columns,
                std::ostream& out)
        : label_names_(std::move(label_names)),
          columns_(std::move(columns)),
          out_(out) {
        out_ << "{\n\"units\": {";
        for (std::size_t c = 0; c < columns_.size(); ++c)
            out_ << (c > 0 ? ", " : "") << json_text(columns_[c].name) << ": "
                 << (columns_[c].unit.empty() ? "null" : json_text(columns_[c].unit));
        out_ << "},\n\"profiles\": [";
    }

    void add(const NcaRow& row) override {
        out_ << (n_++ > 0 ? ",\n{" : "\n{");
        for (std::size_t i = 0; i < label_names_.size(); ++i)
            out_ << json_text(label_names_[i]) << ": " << json_text(row.labels[i]) << ", ";
        for (std::size_t c = 0; c < columns_.size(); ++c)
            out_ << json_text(columns_[c].name) << ": " << json_number(row.values[c]) << ", ";
        out_ << "\"notes\": [";
        for (std::size_t i = 0; i < row.notes.size(); ++i)
            out_ << (i > 0 ? ", " : "") << json_text(row.notes[i]);
        out_ << "]}";
    }

    void end(const std::vector<NcaGroup>& groups) override {
        out_ << "\n],\n\"summaries\": [";
        n_ = 0;
        for (const NcaGroup& group : groups)
            for (std::size_t c = 0; c < columns_.size(); ++c)
                if (group.of[c].n() > 0) put(group, c);
        out_ << "\n]\n}\n";
    }

private:
    void put(const NcaGroup& group, std::size_t c) {
        out_ << (n_++ > 0 ? ",\n{" : "\n{");
        for (std::size_t i = 0; i < group.labels.size(); ++i)
            if (!group.labels[i].empty())
                out_ << json_text(label_names_[i]) << ": " << json_text(group.labels[i]) << ", ";
        const NcaSummary& s = group.of[c];
        out_ << fmt::format("\"parameter\": {}, \"n\": {}, \"geometric_mean\": {}, "
                            "\"geometric_cv\": {}, \"mean\": {}, \"sd\": {}, \"median\": {}, "
                            "\"min\": {}, \"max\": {}}}",
                            json_text(columns_[c].name),
                            s.n(),
                            json_number(s.geometric_mean()),
                            json_number(s.geometric_cv()),
                            json_number(s.mean()),
                            json_number(s.sd()),
                            json_number(s.median()),
                            json_number(s.min()),
                            json_number(s.max()));
    }

    std::vector<std::string> label_names_;
    std::vector<NcaColumn> columns_;
    std::ostream& out_;
    std::size_t n_ = 0;
};

} // namespace

void NcaSummary::add(double value, double weight) {
    if (!std::isfinite(value)) return;
    counters_.add(value, weight);
    moments_.add(value, weight);
    are_positive_ = are_positive_ && value > 0.0;
    if (value > 0.0) logs_.add(std::log(value), weight);
}

double NcaSummary::mean() const {
    return n() > 0 ? moments_.mean : pkpd::NcaResult::not_known;
}

double NcaSummary::sd() const {
    return std::sqrt(moments_.variance());
}

double NcaSummary::geometric_mean() const {
    return are_positive_ && n() > 0 ? std::exp(logs_.mean) : pkpd::NcaResult::not_known;
}

double NcaSummary::geometric_cv() const {
    return are_positive_ ? 100.0 * std::sqrt(std::expm1(logs_.variance()))
                         : pkpd::NcaResult::not_known;
}

std::unique_ptr<NcaPrinter> nca_printer(NcaFormat format,
                                        std::vector<std::string> label_names,
                                        std::vector<NcaColumn> columns,
                                        std::ostream& out) {
    if (format == NcaFormat::csv) return std::make_unique<CsvPrinter>(label_names, columns, out);
    if (format == NcaFormat::json)
        return std::make_unique<JsonPrinter>(std::move(label_names), std::move(columns), out);
    return std::make_unique<TablePrinter>(std::move(label_names), std::move(columns), out);
}

} // namespace gemel::scenarios
