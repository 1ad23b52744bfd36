#pragma once

#include <gemel/io/toml.hpp>
#include <gemel/pkpd/model.hpp>

#include <optional>

namespace gemel::pkpd {

/// A covariate's value: a number in its unit, a quantity, or a category (its index).
std::optional<double> read_covariate_value(const Covariate& covariate,
                                           const io::TomlView& view,
                                           sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
