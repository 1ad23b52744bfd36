#pragma once

#include "endpoints/stored_endpoint.hpp"

#include <gemel/io/result_file.hpp>

#include <string>
#include <vector>

namespace gemel::scenarios {

/// An endpoint's value in every replicate of a study, of one arm and stratum.
struct ReplicatedEndpoint {
    std::string name, unit, arm, by, stratum;
    bool is_share = false;
    std::vector<double> values; ///< [n_replicates]; NaN: there is none
};

/// Endpoint by endpoint, arms and strata in the order of the file; leaves the first replicate
/// selected.
std::vector<ReplicatedEndpoint> replicated_endpoints(io::ResultReader& file);

/// "AUC [mg.h/L], arm high: 12.1 [10.3–14.2] over 200 replicates": the median and the 5th and 95th
/// percentiles of the values there are.
std::string describe(const ReplicatedEndpoint& endpoint);

} // namespace gemel::scenarios
