#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/timeline.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Data files as NONMEM and its kin write them: one row per dose, observation or change, subject by
/// subject. The reader gives nominal records in the model's units; what records mean in time is the
/// engine's. Guide: docs/guide/data.md.
namespace gemel::pkpd {

/// How a covariate goes between the rows that give it: the last value carried forward, the next
/// one carried backward (as NONMEM does), or a straight line.
enum class Interpolation { none, locf, nocb, linear };

/// What a value of DVID (or of CMT on observation rows) stands for.
struct DataOutputWords {
    std::string value; ///< as in the file
    std::string output;
    std::optional<sim::Unit> unit; ///< none: that of DV
    sim::SourceSpan span;
};

/// `[data.columns] NAME = { … }`: NAME is a column of the convention or a covariate of the model.
struct DataColumnWords {
    std::string name, column; ///< column "": the header is the name, in any case
    std::optional<sim::Unit> unit;
    std::string output;                                          ///< of DV
    std::vector<DataOutputWords> outputs;                        ///< of DVID or CMT
    std::vector<std::pair<std::string, std::string>> categories; ///< text in the file → category
    Interpolation interpolation = Interpolation::none;
    bool is_carried = false; ///< the column has its usual name and another meaning
    sim::SourceSpan span, column_span, unit_span, output_span, outputs_span, categories_span,
        interpolation_span;
};

/// Of profiles: a column that tells those of one ID apart.
struct DataGroupWords {
    std::string column;
    sim::SourceSpan span;
};

/// Of profiles: the value of DVID, or of CMT, whose observations are read.
struct DataCurveWords {
    std::string value; ///< "": there is one kind
    sim::SourceSpan span;
};

/// The table `[data]`.
struct DataWords {
    std::filesystem::path folder; ///< that `file` is sought in; set by the caller
    std::string file;
    std::string preset; ///< "" or "adppk"
    std::vector<DataColumnWords> columns;
    Interpolation covariates = Interpolation::none;
    std::vector<std::string> missing{".", "NA", ""};
    std::vector<std::string> header; ///< names of columns where the file has none; empty: it has
    std::string ignore; ///< rows that begin so are no data; "@": rows that begin with a letter or @
    std::string date;   ///< order of a date's parts, "y-m-d" where it is not given
    std::string occasion;   ///< the column that tells occasions apart; "": all is one
    bool has_clock = false; ///< TIME (with DATE) is a time of day
    bool cancels_pending =
        false; ///< sim::PendingDoses::cancelled: a reset or SS 1 ends doses to come
    bool ignores_doses = false; ///< of the file, and its resets: regimens alone dose
    bool has_any_scale = false; ///< DV may be a hundred times off what the model predicts
    sim::SourceSpan span, file_span, header_span, ignore_span, occasion_span, doses_span;
    bool are_profiles = false;          ///< no model stands behind the file: data_profiles.hpp
    std::vector<DataGroupWords> groups; ///< of profiles
    DataCurveWords curve;               ///< of profiles
};

/// The keys of `[data]`; fills `words` while reading.
void describe_data(io::Fields& fields, DataWords& words);

/// A row that observes: EVID 0, or EVID 2, where a value is of interest and none was measured.
struct DataObservation {
    double time = 0.0;        ///< in the model's time unit
    int n_records_before = 0; ///< how many of the subject's records stand before it in the file
    int evid = 0;
    int output = -1; ///< of the model; −1: none named
    double dv = 0.0; ///< in the output's unit; NaN: missing, or not to be used (MDV 1)
    bool is_missing = false;
    int cens = 0; ///< 1: the value is below `limit`; −1: above
    /// In the output's unit; NaN where cens is 0.
    double limit = std::numeric_limits<double>::quiet_NaN();
    /// The value is known to be beyond this, too (LIMIT); NaN: unknown.
    double other_limit = std::numeric_limits<double>::quiet_NaN();
    std::size_t row = 0; ///< of the data set
};

/// One subject. Its rows stand together.
struct DataSubject {
    std::string id; ///< as in the file
    std::size_t first_row = 0, n_rows = 0;
    /// Of the rows, in the model's time unit, never decreasing, [n_rows]. Where a reset lets the
    /// file's time begin anew, time goes on from the row before.
    std::vector<double> times;
    /// The file's own, where they are others because a reset lets them begin anew, [n_rows]; empty:
    /// they are the same.
    std::vector<double> file_times;
    std::vector<sim::Record> records;     ///< in the order of the file
    std::vector<int> record_rows;         ///< the row, of the subject, each record stands in
    std::vector<std::size_t> new_periods; ///< resets at which the file's time begins anew
    std::vector<DataObservation> observations;
    /// Numbered as they appear in the subject's rows, from 0, [n_rows]; empty where the set tells
    /// none apart.
    std::vector<std::uint32_t> occasions;
    /// Values of the set's covariates, in the model's units, missing ones filled by the declared
    /// rule, [n_covariates][n_rows]. A category is its index.
    std::vector<std::vector<double>> covariates;
};

/// A covariate of the model that the file has.
struct DataCovariate {
    int covariate = 0; ///< of the model
    Interpolation interpolation = Interpolation::none;
    bool varies = false; ///< within a subject; then there is an interpolation
};

/// What a column of the file was taken for, for `check`.
struct DataColumn {
    std::string header;
    std::string role; ///< "ID", "DV", "covariate WT", "carried"
    std::string unit; ///< "" where it has none
};

/// A column that is nobody's, kept verbatim.
struct CarriedColumn {
    std::string header;
    std::vector<std::string> text; ///< [n_rows]
};

struct DataSet {
    std::shared_ptr<const sim::SourceFile> file;
    std::filesystem::path path;
    std::vector<DataColumn> columns; ///< in the order of the file
    std::vector<DataCovariate> covariates;
    std::string occasion; ///< header of its column; "": none
    /// Between rows: nocb, or locf.
    Interpolation occasion_interpolation = Interpolation::locf;
    bool ignores_doses = false; ///< records are those of the file and are not to be given
    std::vector<CarriedColumn> carried;
    std::vector<DataSubject> subjects;
    std::vector<int> lines;                   ///< of the file, where a row stands, [n_rows]
    std::vector<std::string> notes;           ///< what was derived, ignored or assumed, for `check`
    double first_time = 0.0, last_time = 0.0; ///< of all rows, in the model's time unit
    sim::SourceSpan header;                   ///< where the names of columns stand
    sim::SourceSpan dv_header;                ///< for messages about DV as a whole

    std::size_t n_rows() const { return lines.size(); }
    std::size_t n_doses() const; ///< records that add or infuse; additional doses not counted
    std::size_t n_observations() const; ///< not missing
};

/// Reads the file. Every mistake goes to diagnostics with its file, line and column.
/// @returns nothing after a mistake
std::shared_ptr<const DataSet>
read_data(const DataWords& words, const Model& model, sim::DiagnosticList& diagnostics);

/// Whether any value is there that a prediction can be compared with: of a known output, not
/// missing and not censored.
bool has_values(const DataSet& data);

/// How DV and what a model predicts for it in typical subjects compare.
struct DataScale {
    int output = 0;
    std::size_t n = 0;                      ///< of the values, which are positive both
    double measured = 0.0, predicted = 0.0; ///< medians, in the output's unit

    /// A hundred times off, mostly by a mistake of units.
    bool is_far() const;
};
/// @param predicted  of each subject's observations, of the first subjects; NaN: not known
std::vector<DataScale> compare_scales(const DataSet& data,
                                      const std::vector<std::vector<double>>& predicted);
/// What is told where scales are far apart, at the header of DV.
void tell_far(const DataScale& scale,
              const DataSet& data,
              const Model& model,
              sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
