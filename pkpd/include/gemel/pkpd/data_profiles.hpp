#pragma once

#include <gemel/pkpd/data_file.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Data files whose profiles are looked at as they stand: the reader of data_file.hpp, its columns,
/// rules and messages, without a model. Guide: docs/guide/nca.md.
namespace gemel::pkpd {

/// Subjects of the set are profiles: those of one ID and one value of each group. Records are doses
/// and resets, of no compartment; observations those of the curve that is asked for. Everything is
/// in the file's units; where time begins anew at a reset it does so here, too.
struct ProfileSet {
    std::shared_ptr<const DataSet> data;
    std::optional<sim::Unit> time, concentration, dose; ///< as declared
    std::vector<std::string> groups;                    ///< headers
    std::vector<std::vector<std::string>> group_texts;  ///< [n_subjects][n_groups]
    /// Of LZ, [n_rows]: 1, the point serves lambda_z; −1: it does not; 0: it is not said. Empty:
    /// the file has no such column.
    std::vector<int> slope_marks;
};

/// Unlike in a study, units, doses and AMT may be missing, columns may have other usual names
/// (USUBJID, CONC, …; noted), rows of a subject need not stand together, and concentrations below
/// the limit may be words.
/// Mistakes: those of read_data(), a concentration below 0, two concentrations at one time
/// @returns nothing after a mistake
std::optional<ProfileSet> read_profiles(DataWords words, sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
