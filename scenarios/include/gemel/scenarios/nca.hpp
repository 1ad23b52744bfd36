#pragma once

#include <gemel/pkpd/nca.hpp>

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

/// Non-compartmental analysis of the profiles of a file: observed (CSV) or simulated (a result
/// file). Guide: docs/guide/nca.md.
namespace gemel::scenarios {

enum class NcaFormat { table, csv, json };

/// After which doses, where there are several.
enum class NcaIntervals { first, last, all };

/// What a user asks for. Texts are numbers in the file's units, or numbers with a unit where the
/// file declares one; "" is not said.
struct NcaRequest {
    pkpd::AreaRule rule = pkpd::AreaRule::linear_up_log_down;
    std::optional<pkpd::NcaRoute> route;
    std::string dose, dose_time, duration, tau; ///< instead of what the file says
    bool is_steady = false;                     ///< the last interval is one of a steady state
    NcaIntervals intervals = NcaIntervals::last;
    std::string blq;             ///< "zero,drop,zero": before, between, after measurable ones
    std::string blq_around_tmax; ///< "zero,drop": before tmax, after it
    std::string lloq;            ///< concentrations below it are below the limit
    std::string slope_window;    ///< "9:24": exactly the points within serve lambda_z
    std::vector<std::string> slope_without; ///< times of points that do not serve it
    std::size_t slope_points = 3;
    bool slope_from_tmax = false;
    std::vector<std::string> partials;   ///< "0:12"
    std::vector<std::string> thresholds; ///< times above them
    std::string superpose;               ///< interval a single dose is superposed with
    bool is_sparse = false;              ///< subjects sampled once, or at some of the times

    std::string curve;                ///< of a result file, or a value of DVID
    std::string concentration;        ///< column, instead of DV, CONC or AVAL
    std::vector<std::string> groups;  ///< columns
    std::vector<std::string> columns; ///< "AMT=DOSE": headers that are not the convention's
    std::vector<std::string> carried; ///< columns whose names mean something else
    std::vector<std::string> missing; ///< cells that hold no value, besides ".", "NA" and ""
    std::string preset, ignore, date; ///< as in `[data]`
    bool has_clock = false;
    std::string time_unit, concentration_unit, dose_unit; ///< where headers do not say them
    std::vector<std::string> parameters; ///< what is printed; empty: a choice, or all as CSV, JSON
    NcaFormat format = NcaFormat::table;
};

/// Analyses and prints. Profiles of a result file are read in stretches.
/// @throws sim::InputError for mistakes in the file or in the request, all at once
/// @throws std::runtime_error if the file cannot be read
void nca(const std::filesystem::path& file, const NcaRequest& request, std::ostream& out);

} // namespace gemel::scenarios
