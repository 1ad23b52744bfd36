#pragma once

#include <gemel/pkpd/data_file.hpp>
#include <gemel/sim/timeline.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// The subjects of a data file as a population: who they are, what they receive, when they are
/// observed, and what of them changes in time.
namespace gemel::pkpd {

/// Subjects by number, in the order of the file. Each has one or more rows of inputs, one for each
/// stretch of time in which its covariates stay the same.
struct DataCohort {
    sim::SourceSpan header;          ///< of the file, for what it lacks
    std::vector<std::string> ids;    ///< [n_subjects] as in the file
    std::vector<std::uint64_t> keys; ///< [n_subjects] of the IDs' texts: what is drawn goes by them
    std::vector<std::size_t> covariates;  ///< of the model, that the file gives
    std::vector<std::size_t> first_row;   ///< [n_subjects + 1]
    std::vector<double> values;           ///< [n_covariates × n_rows] in the model's units
    std::vector<std::uint32_t> occasions; ///< [n_rows]; empty: all is one
    std::vector<std::size_t> linear;      ///< of the model's covariates: along straight lines
    std::vector<double> slopes;           ///< [n_linear × n_rows] per model time
    std::vector<double> starts;           ///< [n_rows] model time; empty: nothing is linear
    std::vector<sim::SubjectTimeline> timelines; ///< [n_subjects]
    /// [n_subjects] of timelines[s].samples: the observation of the data set, subject by subject
    std::vector<std::vector<std::size_t>> observations;

    std::size_t size() const { return ids.size(); }
    std::size_t n_rows() const { return first_row.back(); }
    std::uint32_t occasion_of(std::size_t row) const {
        return occasions.empty() ? 0 : occasions[row];
    }
    std::size_t n_rows_of(std::size_t subject) const {
        return first_row[subject + 1] - first_row[subject];
    }
};

/// Without the file's records where the set says so.
/// Mistakes: two IDs whose texts would share their random numbers.
DataCohort make_cohort(const DataSet& data, sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
