#include <gemel/learners/fit_results.hpp>
#include <gemel/pkpd/model_writer.hpp>

#include <fmt/format.h>

namespace gemel::learners {

namespace {

std::vector<double> cells_of(const Eigen::MatrixXd& matrix) {
    std::vector<double> cells;
    for (Eigen::Index i = 0; i < matrix.rows(); ++i)
        for (Eigen::Index j = 0; j < matrix.cols(); ++j)
            cells.push_back(matrix(i, j));
    return cells;
}

} // namespace

std::string calibrated_model(const FitSetup& setup,
                             const FitResult& result,
                             const io::Library& library,
                             const std::filesystem::path& written) {
    pkpd::Calibration calibration;
    calibration.source = fmt::format("calibrated by {} ({}, seed {}) from {}",
                                     setup.file.filename().string(),
                                     name(setup.options.method),
                                     setup.options.seed,
                                     setup.data->path.filename().string());
    for (const FitNumber& number : setup.numbers)
        calibration.numbers.push_back(number.law);
    calibration.values = result.values;
    if (!result.is_converged)
        calibration.remarks.push_back("the fit did not converge: " + result.stop_reason);
    if (result.uncertainties.empty() || !result.uncertainties.front().is_usable)
        calibration.remarks.emplace_back("no [uncertainty]: there are no standard errors");
    else
        pkpd::set_uncertainty(*setup.model,
                              result.estimated,
                              cells_of(result.uncertainties.front().covariance),
                              calibration);
    return pkpd::write_model(*setup.model, library, setup.changes, calibration, written);
}

} // namespace gemel::learners
