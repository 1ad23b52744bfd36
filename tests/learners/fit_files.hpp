#pragma once

#include "pkpd/loaded.hpp"

#include <gemel/learners/fit_file.hpp>

#include <fstream>
#include <sstream>
#include <string>

/// Fit files of the tests, and a result made by hand.
namespace gemel::learners {

inline std::filesystem::path test_folder() {
    return std::filesystem::path(GEMEL_SOURCE_DIR) / "tests";
}

/// theophylline with the model beside it; `more` stands at the end, `head` in [fit].
inline std::string theophylline_fit(const std::string& more, const std::string& head = {}) {
    const std::string folder = (test_folder() / "data").string();
    return "gemel = \"fit/1\"\n[fit]\nmodel = \"" + folder + "/theophylline_model.toml\"\n" + head +
           "[data]\nfile = \"" + folder +
           "/theophylline.csv\"\n[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\n"
           "DV = { output = \"Cp\", unit = \"mg/L\" }\nWT = { unit = \"kg\" }\n" +
           more;
}

inline FitSetup load_fit_text(const std::string& text, const FitFileOptions& options = {}) {
    const auto path = pkpd::temporary_path("theophylline_fit.toml");
    std::ofstream(path) << text;
    FitSetup setup = load_fit(path, pkpd::library(), options);
    std::filesystem::remove(path);
    return setup;
}

/// The mistakes of a text; "" without any.
inline std::string fit_mistakes(const std::string& text) {
    try {
        load_fit_text(text);
        return {};
    } catch (const sim::InputError& error) {
        return error.what();
    }
}

inline bool fit_says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline const FitNumber& number_of(const FitSetup& setup, const std::string& name) {
    for (const FitNumber& number : setup.numbers)
        if (number.law.name == name) return number;
    throw std::invalid_argument("no number " + name);
}

/// A result as a fit of this setup may give it: estimates a tenth above their starts, standard
/// errors of a tenth of them and correlations of 0.1.
inline FitResult made_result(const FitSetup& setup) {
    FitResult result;
    result.is_converged = true;
    result.stop_reason = "nothing changes by more than 1e-6";
    for (std::size_t k = 0; k < setup.numbers.size(); ++k) {
        const FitNumber& number = setup.numbers[k];
        result.values.push_back(number.is_fixed ? number.start : 1.1 * number.start);
        if (!number.is_fixed) result.estimated.push_back(k);
    }
    const auto n = static_cast<Eigen::Index>(result.estimated.size());
    Uncertainty uncertainty{"linearised", Eigen::MatrixXd(n, n), 1.25, true, {}};
    for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = 0; j < n; ++j)
            uncertainty.covariance(i, j) =
                0.01 * (i == j ? 1.0 : 0.1) *
                result.values[result.estimated[static_cast<std::size_t>(i)]] *
                result.values[result.estimated[static_cast<std::size_t>(j)]];
    result.uncertainties.push_back(uncertainty);
    result.objective = 116.803;
    result.objective_name = "OFV of FOCEI, without n·log 2π";
    const std::size_t n_subjects = setup.data->subjects.size();
    Likelihood& likelihood = result.likelihoods.emplace_back();
    likelihood.method = "importance sampling";
    likelihood.minus_two_ll = 360.7;
    likelihood.standard_error = 0.05;
    likelihood.by_subject.assign(n_subjects, 360.7 / 12.0);
    likelihood.k_hat.assign(n_subjects, 0.3);
    return result;
}

} // namespace gemel::learners
