#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/io/resources.hpp>
#include <gemel/learners/fit.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The file of a fit, `gemel = "fit/1"`. Guide: docs/guide/fit.md.
namespace gemel::learners {

struct FitFileOptions {
    std::vector<std::string> overrides; ///< "path=value", applied in order
    std::optional<std::uint64_t> seed;
};

/// All mistakes of all files (fit, model, genes, data) together.
/// @throws sim::InputError
FitSetup load_fit(const std::filesystem::path& file,
                  const io::Library& library,
                  const FitFileOptions& options = {});

/// The keys of a fit's file, for its reference page.
void describe_fit_for_reference(io::Fields& fields);

/// What was read, and what is estimated from where: for `gemel check`.
std::string describe_fit(const FitSetup& setup);
/// What was assumed of model and data.
std::vector<std::string> notes_on(const FitSetup& setup);

} // namespace gemel::learners
