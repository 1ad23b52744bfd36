#pragma once

#include <gemel/io/result_file.hpp>

#include <string>
#include <vector>

namespace gemel::scenarios {

/// An endpoint of a result file with what stands beside it.
struct StoredEndpoint {
    io::Variable variable;
    std::string name;
    std::string call;                ///< "proportion(on_target)"
    std::string by;                  ///< ""; for all subjects together
    std::vector<std::string> strata; ///< one of no name for all

    /// Numbers of an arm, [n_strata]; NaN where the file has none.
    struct Numbers {
        std::vector<double> value, mcse, lower, upper, n, n_missing;
    };
    std::vector<Numbers> arms; ///< [n_arms]
};

/// In the order of the file.
std::vector<StoredEndpoint> stored_endpoints(const io::ResultReader& file);

} // namespace gemel::scenarios
