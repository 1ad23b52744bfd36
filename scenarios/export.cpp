#include "endpoints/stored_endpoint.hpp"

#include <gemel/io/csv.hpp>
#include <gemel/io/result_file.hpp>
#include <gemel/pkpd/residual.hpp>
#include <gemel/scenarios/export.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <stdexcept>

namespace gemel::scenarios {

namespace {

using Columns = std::vector<io::Variable>;

/// One long table; of a study with replicates their number stands in front of every row.
class Table {
public:
    explicit Table(std::ostream& out) : out_(out) {}

    void start_replicate(std::int64_t number) { replicate_ = number; }

    /// Once: every replicate has the same columns.
    void header(std::vector<std::string> names) {
        if (csv_) return;
        if (replicate_) names.insert(names.begin(), "replicate");
        csv_.emplace(out_, names);
    }

    template <class Value>
    void cell(const Value& value) {
        if (is_at_start_ && replicate_) csv_->cell(*replicate_);
        is_at_start_ = false;
        csv_->cell(value);
    }

    void end_row() {
        csv_->end_row();
        is_at_start_ = true;
    }

private:
    std::ostream& out_;
    std::optional<io::CsvWriter> csv_;
    std::optional<std::int64_t> replicate_;
    bool is_at_start_ = true;
};

/// Subjects read at once.
constexpr std::uint64_t read_step = 1024;

std::string header(const io::Variable& variable) {
    const auto slash = variable.path.rfind('/');
    const std::string name =
        slash == std::string::npos ? variable.path : variable.path.substr(slash + 1);
    const bool is_number =
        variable.type == io::ValueType::real || variable.type == io::ValueType::integer;
    return is_number && variable.units != "1" ? fmt::format("{} [{}]", name, variable.units) : name;
}

Columns columns_in(const io::ResultReader& file, const std::vector<std::string>& folders) {
    Columns columns;
    for (const std::string& folder : folders)
        for (const io::Variable& variable : file.variables())
            if (variable.path.starts_with(folder + "/")) columns.push_back(variable);
    return columns;
}

/// @throws std::invalid_argument if there are none
Columns columns_of_subjects(const io::ResultReader& file,
                            const std::vector<std::string>& folders,
                            const char* what) {
    Columns columns = columns_in(file, folders);
    if (columns.empty())
        throw std::invalid_argument(
            fmt::format("the results hold no {} of subjects; subjects = \"none\" in [save] leaves "
                        "them out",
                        what));
    return columns;
}

std::vector<std::string> headers(std::vector<std::string> first, const Columns& columns) {
    for (const io::Variable& column : columns)
        first.push_back(header(column));
    return first;
}

/// A stretch of subjects of one column, as cells.
class ColumnBlock {
public:
    ColumnBlock(const io::ResultReader& file,
                const io::Variable& variable,
                int arm,
                std::uint64_t first,
                std::uint64_t count)
        : variable_(variable) {
        if (variable.type == io::ValueType::text)
            texts_ = file.texts(variable.path, arm, first, count);
        else
            reals_ = file.reals(variable.path, arm, first, count);
    }

    void put(std::size_t index, Table& csv) const {
        if (variable_.type == io::ValueType::text)
            csv.cell(texts_[index]);
        else if (variable_.type == io::ValueType::category)
            csv.cell(variable_.meanings.at(static_cast<std::size_t>(reals_[index])));
        else
            csv.cell(reals_[index]);
    }

private:
    const io::Variable& variable_;
    std::vector<double> reals_;
    std::vector<std::string> texts_;
};

std::vector<ColumnBlock> read_block(const io::ResultReader& file,
                                    const Columns& columns,
                                    int arm,
                                    std::uint64_t first,
                                    std::uint64_t count) {
    std::vector<ColumnBlock> blocks;
    for (const io::Variable& column : columns)
        blocks.emplace_back(file, column, arm, first, count);
    return blocks;
}

void put_subjects(const io::ResultReader& file,
                  const Columns& columns,
                  const std::string* arm_label,
                  int arm,
                  Table& csv) {
    const std::uint64_t n_subjects = file.axis_size("subject");
    for (std::uint64_t first = 0; first < n_subjects; first += read_step) {
        const std::uint64_t count = std::min(read_step, n_subjects - first);
        const auto blocks = read_block(file, columns, arm, first, count);
        for (std::size_t s = 0; s < count; ++s) {
            if (arm_label != nullptr) csv.cell(*arm_label);
            csv.cell(static_cast<std::int64_t>(first + s + 1));
            for (const ColumnBlock& block : blocks)
                block.put(s, csv);
            csv.end_row();
        }
    }
}

void export_by_subject(const io::ResultReader& file,
                       const std::vector<std::string>& folders,
                       const char* what,
                       Table& csv) {
    const Columns columns = columns_of_subjects(file, folders, what);
    csv.header(headers({"subject"}, columns));
    put_subjects(file, columns, nullptr, -1, csv);
}

void export_outcomes(const io::ResultReader& file, Table& csv) {
    const Columns columns = columns_of_subjects(file, {"outcomes"}, "outcomes");
    csv.header(headers({"arm", "subject"}, columns));
    const std::vector<std::string> arms = file.axis("arm").labels;
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
        put_subjects(file, columns, &arms[arm], static_cast<int>(arm), csv);
}

/// Outputs of one grid and one set of subjects make one table; its rows follow each other.
std::vector<Columns> output_tables(const io::ResultReader& file) {
    std::vector<Columns> tables;
    for (const io::Variable& variable : file.variables()) {
        if (variable.axes.size() != 3 || variable.path.find('/') != std::string::npos) continue;
        const auto same = std::find_if(tables.begin(), tables.end(), [&](const Columns& table) {
            return table.front().axes == variable.axes;
        });
        (same == tables.end() ? tables.emplace_back() : *same).push_back(variable);
    }
    return tables;
}

/// Where a table's columns stand among all outputs: others stay empty.
void put_outputs(const io::ResultReader& file,
                 const Columns& all,
                 const Columns& table,
                 const std::string& arm_label,
                 int arm,
                 Table& csv) {
    const std::uint64_t n_subjects = file.axis_size(table.front().axes[1]);
    const std::vector<double> times = file.axis(table.front().axes[2]).numbers;
    constexpr std::uint64_t output_step = 64;
    for (std::uint64_t first = 0; first < n_subjects; first += output_step) {
        const std::uint64_t count = std::min(output_step, n_subjects - first);
        const auto blocks = read_block(file, table, arm, first, count);
        for (std::size_t row = 0; row < count * times.size(); ++row) {
            csv.cell(arm_label);
            csv.cell(static_cast<std::int64_t>(first + row / times.size() + 1));
            csv.cell(times[row % times.size()]);
            std::size_t next = 0;
            for (const io::Variable& output : all)
                if (next < table.size() && table[next].path == output.path)
                    blocks[next++].put(row, csv);
                else
                    csv.cell(std::string());
            csv.end_row();
        }
    }
}

void export_outputs(const io::ResultReader& file, Table& csv) {
    const std::vector<Columns> tables = output_tables(file);
    Columns all;
    for (const Columns& table : tables)
        all.insert(all.end(), table.begin(), table.end());
    std::string time = "time";
    if (!all.empty()) time = fmt::format("time [{}]", file.axis(all.front().axes[2]).units);
    csv.header(headers({"arm", "subject", time}, all));
    const std::vector<std::string> arms = file.axis("arm").labels;
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
        for (const Columns& table : tables)
            put_outputs(file, all, table, arms[arm], static_cast<int>(arm), csv);
}

std::string name_in(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

/// The samples of one output, in the order arm, subject, time.
struct SampledOutput {
    io::Variable measured;
    std::vector<double> times;
    bool is_limited = false;
};

std::vector<SampledOutput> sampled_outputs(const io::ResultReader& file) {
    std::vector<SampledOutput> outputs;
    const Columns all = columns_in(file, {"samples"});
    const auto has = [&](const std::string& path) {
        return std::any_of(
            all.begin(), all.end(), [&](const io::Variable& v) { return v.path == path; });
    };
    for (const io::Variable& variable : all)
        if (has(variable.path + "_value"))
            outputs.push_back(
                {variable, file.axis(variable.axes[2]).numbers, has(variable.path + "_censored")});
    return outputs;
}

/// A stretch of subjects of one output's samples.
struct SamplesBlock {
    std::vector<double> measured, values, censored; ///< [count × n_times]; censored may be empty
};

SamplesBlock read_samples(const io::ResultReader& file,
                          const SampledOutput& output,
                          int arm,
                          std::uint64_t first,
                          std::uint64_t count) {
    const std::string& path = output.measured.path;
    SamplesBlock block{
        file.reals(path, arm, first, count), file.reals(path + "_value", arm, first, count), {}};
    if (output.is_limited) block.censored = file.reals(path + "_censored", arm, first, count);
    return block;
}

/// As data files write it: 1 below the limit, -1 above.
std::int64_t cens_of(double code) {
    return pkpd::cens_of(static_cast<pkpd::Censoring>(static_cast<std::uint8_t>(code)));
}

void put_samples(const SampledOutput& output,
                 const SamplesBlock& block,
                 const std::string& arm,
                 std::uint64_t first,
                 std::size_t s,
                 Table& csv) {
    const std::size_t n_times = output.times.size();
    for (std::size_t k = 0; k < n_times; ++k) {
        const std::size_t at = s * n_times + k;
        csv.cell(arm);
        csv.cell(static_cast<std::int64_t>(first + s + 1));
        csv.cell(output.times[k]);
        csv.cell(name_in(output.measured.path));
        csv.cell(output.measured.units);
        csv.cell(block.values[at]);
        csv.cell(block.measured[at]);
        csv.cell(output.is_limited ? cens_of(block.censored[at]) : 0);
        csv.end_row();
    }
}

void export_samples(const io::ResultReader& file, Table& csv) {
    const std::vector<SampledOutput> outputs = sampled_outputs(file);
    std::string time = "time";
    if (!outputs.empty())
        time = fmt::format("time [{}]", file.axis(outputs.front().measured.axes[2]).units);
    csv.header({"arm", "subject", time, "output", "unit", "value", "measured", "censored"});
    if (outputs.empty()) return;
    const std::vector<std::string> arms = file.axis("arm").labels;
    const std::uint64_t n_subjects = file.axis_size("subject");
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
        for (std::uint64_t first = 0; first < n_subjects; first += read_step) {
            const std::uint64_t count = std::min(read_step, n_subjects - first);
            std::vector<SamplesBlock> blocks;
            for (const SampledOutput& output : outputs)
                blocks.push_back(read_samples(file, output, static_cast<int>(arm), first, count));
            for (std::size_t s = 0; s < count; ++s)
                for (std::size_t i = 0; i < outputs.size(); ++i)
                    put_samples(outputs[i], blocks[i], arms[arm], first, s, csv);
        }
}

void export_endpoints(const io::ResultReader& file, Table& csv) {
    csv.header({"endpoint",
                "unit",
                "arm",
                "by",
                "stratum",
                "value",
                "mcse",
                "lower",
                "upper",
                "n",
                "n_missing"});
    const std::vector<std::string> arms = file.axis("arm").labels;
    for (const StoredEndpoint& endpoint : stored_endpoints(file))
        for (std::size_t arm = 0; arm < arms.size(); ++arm)
            for (std::size_t s = 0; s < endpoint.strata.size(); ++s) {
                const StoredEndpoint::Numbers& of = endpoint.arms[arm];
                for (const std::string& text : {endpoint.name,
                                                endpoint.variable.units,
                                                arms[arm],
                                                endpoint.by,
                                                endpoint.strata[s]})
                    csv.cell(text);
                for (const auto* column :
                     {&of.value, &of.mcse, &of.lower, &of.upper, &of.n, &of.n_missing})
                    csv.cell((*column)[s]);
                csv.end_row();
            }
}

/// Whether a data file was simulated.
bool is_of_data(const io::ResultReader& file) {
    const std::vector<io::Variable> variables = file.variables();
    return std::any_of(variables.begin(), variables.end(), [](const io::Variable& variable) {
        return variable.path == "samples/line";
    });
}

/// Every arm's predictions beside the rows they belong to.
void export_data_samples(const io::ResultReader& file, Table& csv) {
    const Columns columns = columns_in(file, {"samples"});
    const std::vector<std::string> arms = file.axis("arm").labels;
    csv.header(headers({"arm"}, columns));
    const std::uint64_t n_samples = file.axis_size("sample");
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        std::vector<ColumnBlock> blocks;
        for (const io::Variable& column : columns) {
            const bool has_arm = column.axes.front() == "arm";
            blocks.emplace_back(file, column, has_arm ? static_cast<int>(arm) : -1, 0, n_samples);
        }
        for (std::size_t row = 0; row < n_samples; ++row) {
            csv.cell(arms[arm]);
            for (const ColumnBlock& block : blocks)
                block.put(row, csv);
            csv.end_row();
        }
    }
}

void export_one(const io::ResultReader& file, ExportWhat what, Table& csv) {
    if (what == ExportWhat::outputs)
        export_outputs(file, csv);
    else if (what == ExportWhat::outcomes)
        export_outcomes(file, csv);
    else if (what == ExportWhat::samples && is_of_data(file))
        export_data_samples(file, csv);
    else if (what == ExportWhat::samples)
        export_samples(file, csv);
    else if (what == ExportWhat::endpoints)
        export_endpoints(file, csv);
    else if (what == ExportWhat::subjects)
        export_by_subject(
            file, {"population", "covariates", "genotypes", "maps"}, "covariates", csv);
    else
        export_by_subject(file, {"parameters"}, "parameters", csv);
}

} // namespace

void export_csv(const std::filesystem::path& results, ExportWhat what, std::ostream& out) {
    io::ResultReader file(results);
    Table csv(out);
    for (std::size_t r = 0; r < std::max<std::size_t>(1, file.n_replicates()); ++r) {
        if (file.n_replicates() > 0) csv.start_replicate(static_cast<std::int64_t>(r + 1));
        file.select_replicate(r);
        export_one(file, what, csv);
    }
}

} // namespace gemel::scenarios
