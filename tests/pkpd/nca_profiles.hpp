#pragma once

#include <gemel/pkpd/nca.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

/// The profiles of tests/data/theophylline.csv and indomethacin.csv.
namespace gemel {

/// Observations of each subject, in the order of the file.
inline std::vector<pkpd::NcaProfile> observed_profiles(const std::string& file_name) {
    std::ifstream file(std::string(GEMEL_SOURCE_DIR) + "/tests/data/" + file_name);
    REQUIRE(file);
    std::vector<pkpd::NcaProfile> profiles;
    std::string line, subject;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string id, time, amount, value;
        std::getline(words, id, ',');
        std::getline(words, time, ',');
        std::getline(words, amount, ',');
        std::getline(words, value, ',');
        if (id != subject) profiles.emplace_back();
        subject = id;
        if (value == ".") continue;
        profiles.back().time.push_back(std::stod(time));
        profiles.back().concentration.push_back(std::stod(value));
    }
    return profiles;
}

/// The sets of the reference tables: theophylline 320 mg, indomethacin 25 mg as a bolus or over
/// 0.25 h, as WinNonlin was told.
inline std::vector<pkpd::NcaProfile> reference_set(const std::string& name) {
    using pkpd::NcaRoute;
    const bool is_oral = name == "theophylline";
    std::vector<pkpd::NcaProfile> profiles =
        observed_profiles(is_oral ? "theophylline.csv" : "indomethacin.csv");
    for (pkpd::NcaProfile& profile : profiles) {
        profile.dose = is_oral ? 320.0 : 25.0;
        profile.route = is_oral           ? NcaRoute::extravascular
                        : name == "bolus" ? NcaRoute::bolus
                                          : NcaRoute::infusion;
        if (name == "infusion") profile.duration = 0.25;
    }
    return profiles;
}

inline double value_of(const pkpd::NcaResult& result, const std::string& name) {
    for (const pkpd::NcaParameter& parameter : pkpd::nca_parameters())
        if (parameter.name == name) return result.*parameter.value;
    FAIL("no parameter " << name);
    return 0.0;
}

/// C = c0·exp(−k·t) at the times.
inline std::vector<double> decline(double c0, double k, const std::vector<double>& times) {
    std::vector<double> values;
    for (const double t : times)
        values.push_back(c0 * std::exp(-k * t));
    return values;
}

} // namespace gemel
