#pragma once

#include <gemel/io/csv_table.hpp>
#include <gemel/pkpd/data_file.hpp>

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

/// The stages in which a data file is read: columns find their roles and units, rows their EVIDs
/// and times, then records, observations and covariates are made.
namespace gemel::pkpd {

/// The columns of the convention.
enum class DataRole {
    id,
    time,
    date,
    evid,
    amt,
    rate,
    dur,
    cmt,
    addl,
    ii,
    ss,
    dv,
    mdv,
    dvid,
    cens,
    limit,
    lloq,
    uloq
};
inline constexpr std::size_t n_data_roles = 18;
/// "ID", "TIME", …: what the first of its names is.
std::string name(DataRole role);

/// Mistakes of one kind are told the first ten times; then their number is.
class DataMistakes {
public:
    explicit DataMistakes(sim::DiagnosticList& diagnostics) : diagnostics_(diagnostics) {}

    void add(const std::string& kind,
             const sim::SourceSpan& span,
             const std::string& message,
             const std::string& help = {});
    void add_rest(); ///< the numbers of those not told; to be called once, at the end

private:
    struct Rest {
        sim::SourceSpan first;
        std::size_t n = 0;
    };
    sim::DiagnosticList& diagnostics_;
    std::map<std::string, Rest> kinds_;
    std::set<std::tuple<std::string, int, int>> told_; ///< one cell may be read twice
};

/// How many rows hold something that is noted, and the line of the first.
struct NotedRows {
    std::size_t n = 0;
    int first_line = 0;
    std::string first_text;

    void add(int line, const std::string& text = {});
    std::string where() const; ///< " (line 7)" or " (the first is line 7)"
};
/// −99, −999 and the like, which stand for a missing value in some files.
bool is_code_for_missing(double number);
/// "if that stands for a missing value, …"
std::string how_to_say_missing(const DataWords& words, const std::string& text);

/// Where a column stands and how its numbers become the model's.
struct FoundColumn {
    int at = -1; ///< −1: the file has none
    const DataColumnWords* words = nullptr;
    std::optional<sim::Unit> unit;
    bool has_bad_unit = false; ///< told
    std::string header;        ///< without unit

    bool is_found() const { return at >= 0; }
};

struct FoundCovariate {
    FoundColumn column;
    int covariate = 0;
};

/// A table with its columns named. Rows are those of the data, the unit row left out.
class DataTable {
public:
    DataTable(const DataWords& words,
              const Model& model,
              io::CsvTable csv,
              char separator,
              DataMistakes& mistakes);

    const DataWords& words;
    const Model& model;
    DataMistakes& mistakes;

    std::size_t n_rows() const { return rows_.size(); }
    const FoundColumn& column(DataRole role) const {
        return columns_[static_cast<std::size_t>(role)];
    }
    bool has(DataRole role) const { return column(role).is_found(); }
    const std::vector<FoundCovariate>& covariates() const { return covariates_; }
    const std::vector<int>& carried() const { return carried_; }
    int occasion() const { return occasion_; } ///< the column that tells them apart; −1: none
    const std::vector<io::CsvCell>& header() const { return csv_.header; }
    std::shared_ptr<const sim::SourceFile> file() const { return csv_.file; }
    const io::CsvCell& header(DataRole role) const;
    const std::vector<int>& groups() const { return groups_; }       ///< columns, of profiles
    const std::vector<std::string>& notes() const { return notes_; } ///< what names were taken for

    const io::CsvCell& cell(std::size_t row, int at) const {
        return (*rows_[row])[static_cast<std::size_t>(at)];
    }
    const io::CsvCell& cell(std::size_t row, DataRole role) const {
        return cell(row, column(role).at);
    }
    bool is_missing(const io::CsvCell& cell) const;
    /// Also where there is no such column.
    bool is_missing(std::size_t row, DataRole role) const {
        return !has(role) || is_missing(cell(row, role));
    }
    /// Nothing where the cell is missing, or no number, which is told.
    std::optional<double> number(const io::CsvCell& cell, const std::string& column);
    std::optional<double> number(std::size_t row, DataRole role);
    /// A whole number, beyond a milliard that; what is missing is 0, nothing where it is none,
    /// which is told.
    std::optional<int> whole(std::size_t row, DataRole role);
    /// Where a row stands: its cell of a role, or its first one.
    const sim::SourceSpan& place(std::size_t row, DataRole role) const;
    const std::string& id(std::size_t row) const { return cell(row, DataRole::id).text; }
    /// Whose a row is: its ID, of profiles after its groups.
    std::vector<std::string> owner(std::size_t row) const;
    /// The same for all rows of one subject: where all IDs are numbers, 1, 1.0 and 01 are one.
    std::vector<std::string> owner_key(std::size_t row) const;
    /// Brings the rows of one owner together, in the order in which owners appear.
    void gather();

    /// The unit of a column that needs one; without it a mistake, told once.
    const sim::Unit* unit(DataRole role, const std::string& example);
    void tell_unit_missing(const FoundColumn& column,
                           const std::string& key,
                           const std::string& example);
    /// Where the file does not say it, and nothing depends on it.
    void assume_unit(DataRole role, const sim::Unit& unit);
    bool has_decimal_comma() const { return has_decimal_comma_; }
    std::vector<DataColumn> described() const;

private:
    void find_columns();
    void find_role(DataRole role);
    void find_other_name(DataRole role);
    void find_groups();
    void find_covariate(int covariate);
    void find_occasion();
    void read_unit_row();
    void find_kind_of_ids();
    void read_units(FoundColumn& column);
    void check_essential();
    void tell_no_amounts();
    void check_amounts();
    void check_slips();
    bool could_be(DataRole role, int at) const;
    void check_nameless(int at);
    bool are_row_names(int at) const;
    int find_amounts_elsewhere() const;
    void tell_absent(DataRole role);
    void check_words();
    void check_keys(const DataColumnWords& column);
    int find_covariate_called(const std::string& name) const;
    std::optional<DataRole> role_called(const std::string& name) const;
    bool tell_taken(int at, const DataColumnWords* column, const std::string& name);
    std::string owner_of(int at) const;
    void check_names();
    int find_header(const std::string& name, bool any_case) const;
    const DataColumnWords* words_for(const std::string& name) const;
    std::vector<std::string> header_names() const;

    io::CsvTable csv_;
    char separator_;
    std::vector<const std::vector<io::CsvCell>*> rows_;
    const std::vector<io::CsvCell>* unit_row_ = nullptr;
    std::array<FoundColumn, n_data_roles> columns_;
    std::vector<FoundCovariate> covariates_;
    std::vector<int> carried_;
    int occasion_ = -1;
    std::vector<bool> is_taken_;
    std::vector<int> groups_;
    bool are_ids_numbers_ = false;
    std::vector<std::string> notes_;
    const io::CsvCell* first_mark_ = nullptr; ///< the first number with a decimal mark
    bool has_decimal_comma_ = false;
};

/// The file beside the one that names it, read and cut into cells.
/// @returns nothing after a mistake
struct OpenedData {
    std::filesystem::path path;
    io::CsvTable csv;
    char separator = ',';
    std::vector<std::string> notes; ///< on what stands above the data
    std::size_t n_empty = 0;        ///< rows without any text, left out
    std::size_t n_ignored = 0;      ///< rows that begin as `ignore` says
};
std::optional<OpenedData> open_data(const DataWords& words, sim::DiagnosticList& diagnostics);

/// A set that knows its file, before the file's cells are moved into a table.
std::shared_ptr<DataSet> begin_data(const OpenedData& opened);
/// Mistake: there is only a header.
bool has_rows(const DataTable& table, sim::DiagnosticList& diagnostics);
/// All that rows become, in the order of the stages below.
void read_rows(DataTable& table, const OpenedData& opened, DataSet& data);

/// Subjects with their rows; EVIDs and times of the rows; [n_rows].
void find_subjects(DataTable& table, DataSet& data);
std::vector<int> read_evids(DataTable& table, DataSet& data);
/// The file's times in the model's unit, then continued where a reset begins anew.
/// @returns whether a row begins a new period, [n_rows]
std::vector<bool> read_times(DataTable& table, const std::vector<int>& evids, DataSet& data);

void make_records(DataTable& table,
                  const std::vector<int>& evids,
                  const std::vector<bool>& begins_period,
                  DataSet& data);
void make_observations(DataTable& table, const std::vector<int>& evids, DataSet& data);
void make_covariates(DataTable& table, const std::vector<int>& evids, DataSet& data);
void make_occasions(DataTable& table, DataSet& data);

/// What to write so that a column is found, or so that it is nobody's: in `[data]`, or as an option
/// where profiles are read.
std::string how_to_name(const DataWords& words,
                        const std::string& name,
                        const std::string& header,
                        const std::string& unit);
std::string how_to_carry(const DataWords& words, const std::string& name);
/// "clock = true in [data]" or "--clock".
std::string how_to_set(const DataWords& words, const std::string& key, const std::string& option);

/// What may make two units meet, for messages.
std::string help_for_units(const sim::Unit& from, const sim::Unit& to, const std::string& column);

/// Whether a text is a name in any case.
bool is_same_name(const std::string& a, const std::string& b);

inline constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// "1 row", "3 rows".
std::string counted(std::size_t n, const std::string& what);

} // namespace gemel::pkpd
