#include "cohort_rows.hpp"

#include "covariate_law.hpp"
#include "table_cells.hpp"

#include <gemel/io/csv_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

class RowsReader {
public:
    RowsReader(const RowsWords& words,
               const CovariateNames& names,
               const io::CsvTable& table,
               sim::DiagnosticList& diagnostics)
        : words_(words),
          names_(names),
          table_(table),
          diagnostics_(diagnostics) {}

    std::shared_ptr<const CohortRows> read() {
        const std::size_t n_before = diagnostics_.size();
        auto rows = std::make_shared<CohortRows>();
        rows->n_rows = table_.rows.size();
        rows->is_in_order = words_.use == RowsWords::Use::in_order;
        if (table_.rows.empty())
            diagnostics_.add({table_.file, 0, 0, 1}, "this file has no rows to draw from");
        for (const RowsColumn& column : words_.columns)
            add_covariate(column, *rows);
        if (!words_.weights.empty()) add_weights(*rows);
        return diagnostics_.size() == n_before ? rows : nullptr;
    }

private:
    void add_covariate(const RowsColumn& column, CohortRows& rows) {
        const int covariate = names_.find(column.covariate);
        if (covariate < 0) return; // told where covariates are declared
        const int at = find_column(column.header, column.span);
        if (at < 0) return;
        const auto c = static_cast<std::size_t>(covariate);
        const bool is_number = names_.at(c).categories.empty();
        const double factor = is_number ? factor_of(column, names_.at(c), at) : 1.0;
        rows.covariates.push_back(c);
        for (const std::vector<io::CsvCell>& row : table_.rows) {
            const io::CsvCell& cell = row[static_cast<std::size_t>(at)];
            rows.values.push_back(is_number ? factor * number(cell) : category(cell, names_.at(c)));
        }
    }

    int find_column(const std::string& header, const sim::SourceSpan& place) {
        std::vector<std::string> known;
        std::vector<int> named; // with the unit in brackets left out
        for (std::size_t i = 0; i < table_.header.size(); ++i) {
            if (header == table_.header[i].text) return static_cast<int>(i);
            known.push_back(split_header(table_.header[i].text).name);
            if (header == known.back()) named.push_back(static_cast<int>(i));
        }
        if (named.size() == 1) return named.front();
        if (named.size() > 1) return tell_ambiguous(header, named, place);
        diagnostics_.add(place,
                         fmt::format("{} has no column '{}'", table_.file->name, header),
                         sim::suggest(header, known));
        return -1;
    }

    int tell_ambiguous(const std::string& header,
                       const std::vector<int>& named,
                       const sim::SourceSpan& place) {
        const auto text = [&](int at) { return table_.header[static_cast<std::size_t>(at)].text; };
        diagnostics_.add(place,
                         fmt::format("{} has several columns '{}': '{}' and '{}'",
                                     table_.file->name,
                                     header,
                                     text(named[0]),
                                     text(named[1])),
                         "name the column with its unit, as in its header");
        return -1;
    }

    /// What a number of the column is in the covariate's unit.
    double factor_of(const RowsColumn& column, const Covariate& covariate, int at) {
        const io::CsvCell& header = table_.header[static_cast<std::size_t>(at)];
        const std::string in_header = split_header(header.text).unit;
        const bool is_declared = !column.unit.empty();
        const std::string& text = is_declared ? column.unit : in_header;
        const sim::SourceSpan place = is_declared ? column.span : header.span;
        if (text.empty() && covariate.unit.is_dimensionless()) return 1.0;
        std::string why;
        const auto unit = text.empty() ? std::nullopt : sim::parse_unit(text, &why);
        if (text.empty())
            diagnostics_.add(place,
                             fmt::format("the unit of the column '{}' is missing", header.text),
                             fmt::format("write '{0} [{1}]' in the header, or {0} = {{ column = "
                                         "\"{2}\", unit = \"{1}\" }} in columns",
                                         covariate.name,
                                         covariate.unit.text,
                                         header.text));
        else if (!unit)
            diagnostics_.add(place, fmt::format("\"{}\" is no unit: {}", text, why));
        else if (!(unit->dimension == covariate.unit.dimension))
            diagnostics_.add(place,
                             fmt::format("the column '{}' is in {}, but the covariate {} is in {}",
                                         header.text,
                                         text,
                                         covariate.name,
                                         covariate.unit.text));
        else
            return sim::conversion_factor(*unit, covariate.unit);
        return 1.0;
    }

    double number(const io::CsvCell& cell) {
        const std::optional<double> value = number_in(cell.text);
        if (!value)
            diagnostics_.add(cell.span,
                             cell.text.empty() || cell.text == "NA" || cell.text == "."
                                 ? "a value is missing here; a number is expected"
                                 : fmt::format("'{}' is no number", cell.text),
                             "leave out rows that are not complete");
        return value.value_or(0.0);
    }

    double category(const io::CsvCell& cell, const Covariate& covariate) {
        const auto& known = covariate.categories;
        const auto found = std::find(known.begin(), known.end(), cell.text);
        if (found == known.end())
            diagnostics_.add(
                cell.span,
                cell.text.empty()
                    ? fmt::format("a category of {} is missing here", covariate.name)
                    : fmt::format("{} has no category '{}'", covariate.name, cell.text),
                sim::suggest(cell.text, known));
        return found == known.end() ? 0.0 : static_cast<double>(found - known.begin());
    }

    /// Weights that patients carry have the mean 1 over the rows: strata then count by their
    /// shares, whatever the scale of a survey's weights.
    void add_weights(CohortRows& rows) {
        const int at = find_column(words_.weights, words_.weights_span);
        if (at < 0) return;
        double sum = 0.0;
        for (const std::vector<io::CsvCell>& row : table_.rows) {
            const io::CsvCell& cell = row[static_cast<std::size_t>(at)];
            const double weight = number(cell);
            if (!(weight >= 0.0)) diagnostics_.add(cell.span, "a weight is not negative");
            rows.weights.push_back(weight);
            sum += weight;
        }
        if (!(sum > 0.0) || !std::isfinite(sum))
            diagnostics_.add(words_.weights_span, "the weights have no sum above 0");
        if (words_.use == RowsWords::Use::resample) {
            rows.cumulative = cumulative_sums(rows.weights);
            rows.weights.clear();
        }
        for (double& weight : rows.weights)
            weight *= static_cast<double>(rows.weights.size()) / sum;
    }

    const RowsWords& words_;
    const CovariateNames& names_;
    const io::CsvTable& table_;
    sim::DiagnosticList& diagnostics_;
};

/// A file that several strata name is kept once; another of the same name gets a number.
void keep_file(const std::filesystem::path& path,
               const std::shared_ptr<const sim::SourceFile>& text,
               std::vector<PopulationFile>& files) {
    std::error_code error;
    const std::filesystem::path file = std::filesystem::weakly_canonical(path, error);
    const std::string name = "rows_" + path.stem().string() + "_csv";
    std::string free = name;
    int number = 1;
    for (bool is_taken = true; is_taken;) {
        is_taken = false;
        for (const PopulationFile& known : files) {
            if (std::filesystem::weakly_canonical(known.path, error) == file) return;
            is_taken = is_taken || known.name == free;
        }
        if (is_taken) free = fmt::format("{}_{}", name, ++number);
    }
    files.push_back({free, path, text});
}

} // namespace

std::shared_ptr<const CohortRows> read_rows(const RowsWords& words,
                                            const CovariateNames& names,
                                            const std::filesystem::path& named_in,
                                            std::vector<PopulationFile>& files,
                                            sim::DiagnosticList& diagnostics) {
    const std::filesystem::path path = named_in.parent_path() / words.file;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        diagnostics.add(words.file_span,
                        fmt::format("there is no file '{}' beside this one", words.file));
        return nullptr;
    }
    const auto source = io::read_source(path, diagnostics);
    if (!source) return nullptr;
    keep_file(path, source, files);
    const std::size_t n_before = diagnostics.size();
    const io::CsvTable table = io::parse_csv(source, diagnostics);
    if (table.header.empty()) return nullptr;
    const auto rows = RowsReader(words, names, table, diagnostics).read();
    return diagnostics.size() == n_before ? rows : nullptr;
}

} // namespace gemel::pkpd
