#pragma once

#include "endpoints/endpoint_recorder.hpp"

#include <gemel/io/result_file.hpp>

/// The group `endpoints` of a result file.
namespace gemel::scenarios {

/// Axes `stratum…`; for every endpoint NAME, (arm[, stratum]): NAME, NAME_mcse, NAME_lower and
/// NAME_upper where it has them, NAME_n and NAME_n_missing.
void declare_endpoints(const Study& study, io::Layout& file);
/// After the last block.
void write_endpoints(const Study& study, const EndpointRecorder& recorder, io::ResultFile& file);

} // namespace gemel::scenarios
