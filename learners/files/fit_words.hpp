#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/learners/fit.hpp>
#include <gemel/pkpd/data_file.hpp>

#include <string>
#include <vector>

/// A fit's file as it was written, before it meets its model.
namespace gemel::learners {

struct FitWords {
    int format = 0;
    std::string model, about;
    sim::SourceSpan model_span, fixed_span, outputs_span, solver_span;
    std::int64_t seed = 1;
    std::vector<std::string> fixed, outputs;
    pkpd::DataWords data;
    io::TomlView population;
    pkpd::ModelChanges changes;
    FitOptions options; ///< all but the seed
};

/// Every key of a fit's file.
void describe_fit_words(io::Fields& fields, FitWords& words);

} // namespace gemel::learners
