#pragma once

#include <gemel/pkpd/model.hpp>

#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

/// Effects of genotype and co-medication that have been published, and what a model makes of them.
namespace gemel::pkpd {

/// One number that exposure is compared by, of two typical patients.
enum class EffectMetric { auc, cmax, trough, clearance };
std::string_view name(EffectMetric metric); ///< "auc", …; clearance is the inverse of auc

struct PublishedEffect {
    std::string name, drug, contrast, source;
    std::string seen; ///< "abstract", "page", "transcription", "remembered"
    bool is_independent = false; ///< of what the model was made from
    sim::SourceSpan span;
    std::shared_ptr<const Model> model;
    int output = 0;
    EffectMetric metric = EffectMetric::auc;
    double from = 0.0, to = 0.0; ///< window, in the model's time unit
    ModelTest test, reference;   ///< patients and doses; the ratio is of the first to the second
    double observed = 1.0;       ///< ratio
    double low = std::numeric_limits<double>::quiet_NaN(); ///< of its interval; NaN: not given
    double high = std::numeric_limits<double>::quiet_NaN();
    std::int64_t n = 0; ///< people; 0: not given
};

/// Reads a file of format effects/1. Mistakes are added to diagnostics.
std::vector<PublishedEffect> load_effects(const std::filesystem::path& file,
                                          const io::Library& library,
                                          sim::DiagnosticList& diagnostics);
void describe_effects_for_reference(io::Fields& fields);

/// The model's ratio; NaN where a solve fails or the reference is 0.
double predicted_ratio(const PublishedEffect& effect);

/// max(p/o, o/p) of a predicted and an observed ratio.
double fold_error(double predicted, double observed);

/// exp(mean |log(p/o)|): the geometric mean fold error, 1 where all agree.
double geometric_mean_fold_error(std::span<const double> predicted,
                                 std::span<const double> observed);

} // namespace gemel::pkpd
