#include <gemel/io/text_table.hpp>
#include <gemel/learners/fit_results.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::learners {

namespace {

/// "" for what is not available.
std::string four_digits(double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : "";
}

std::string per_cent(double share) {
    return std::isfinite(share) ? fmt::format("{:.1f}", 100.0 * share) : "";
}

} // namespace

std::string recovery_table(const FitSetup& setup, const RecoverResult& result) {
    std::string text = fmt::format("recovery     {}, method {}, seed {}: {} data sets simulated at "
                                   "the starts, {} fits converged\n\n",
                                   setup.file.filename().string(),
                                   name(setup.options.method),
                                   setup.options.seed,
                                   result.n,
                                   result.n_converged);
    std::vector<std::vector<std::string>> rows{{"number",
                                                "truth",
                                                "mean",
                                                "bias",
                                                "its error",
                                                "bias %",
                                                "RMSE",
                                                "RMSE %",
                                                "coverage %",
                                                "of intervals"}};
    for (const RecoveredNumber& number : result.numbers)
        rows.push_back({number.name,
                        four_digits(number.truth),
                        four_digits(number.mean),
                        four_digits(number.bias),
                        four_digits(number.bias_error),
                        per_cent(number.relative_bias),
                        four_digits(number.rmse),
                        per_cent(number.relative_rmse),
                        per_cent(number.coverage),
                        std::to_string(number.n_intervals)});
    if (result.n_converged > 0) text += io::text_table(rows);
    for (const RecoverFailure& failure : result.failures)
        text += fmt::format("data set {}: {}\n", failure.data_set + 1, failure.reason);
    return text;
}

} // namespace gemel::learners
