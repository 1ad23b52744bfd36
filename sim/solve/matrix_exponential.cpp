#include "solve/matrix_exponential.hpp"

#include <Eigen/Dense>
#include <unsupported/Eigen/MatrixFunctions>

namespace gemel::sim {

std::vector<double> matrix_exponential(int n, const std::vector<double>& matrix) {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::MatrixXd m = Eigen::Map<const RowMajor>(matrix.data(), n, n);
    std::vector<double> result(matrix.size());
    Eigen::Map<RowMajor>(result.data(), n, n) = m.exp();
    return result;
}

} // namespace gemel::sim
