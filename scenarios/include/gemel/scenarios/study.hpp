#pragma once

#include <gemel/pkpd/data_file.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/input_files.hpp>
#include <gemel/pkpd/population.hpp>
#include <gemel/scenarios/endpoint.hpp>
#include <gemel/scenarios/find_dose.hpp>
#include <gemel/scenarios/outcome.hpp>
#include <gemel/scenarios/policy.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A study as its file states it, checked against its model.
namespace gemel::scenarios {

using pkpd::InputFile;

struct Arm {
    std::string name;
    std::string label;
    std::string regimen;
};

/// `[save] Cp = { every = "1 h", subjects = "all" }`
struct Save {
    std::string output;
    std::vector<double> times;    ///< model time
    std::uint64_t n_subjects = 0; ///< the first so many; all: the population's size; none: 0
    bool has_summary = false;     ///< quantiles, mean and sd over all subjects are written, too
};

/// `[samples] Cp = { at = ["1 h", "4 h"], lloq = "0.1 mg/L", uloq = "50 mg/L" }`: measured in every
/// subject and arm, with the residual error that the model gives the output.
struct Samples {
    std::string output;
    std::vector<double> times;         ///< model time
    pkpd::QuantificationLimits limits; ///< in the output's unit

    bool is_limited() const { return limits.has_lower() || limits.has_upper(); }
};

struct Study {
    std::string id; ///< file name without ending
    std::string title;
    std::filesystem::path file;
    std::shared_ptr<const sim::SourceFile> text;
    std::vector<std::string> overrides; ///< as given with --set, in order
    std::vector<InputFile> inputs;      ///< every file read: study, model, genes

    std::shared_ptr<const pkpd::Model> model;
    pkpd::Population population;
    double start = 0.0;    ///< model time; below 0 where data or a regimen begin before
    double duration = 0.0; ///< model time: the end
    /// When occasions begin, in model time, the first at 0; empty: all is one.
    std::vector<double> occasions;
    /// How often the whole is repeated, each time with other patients and, where the population has
    /// uncertainty, other laws; 0: once, and results have no axis of replicates.
    std::uint32_t n_replicates = 0;
    std::shared_ptr<const pkpd::DataSet> data; ///< whose subjects are simulated, if any
    sim::PendingDoses pending = sim::PendingDoses::given;
    std::vector<pkpd::Regimen> regimens;
    std::vector<Knowledge> knowledge;    ///< [regimens] genes that dosing may see
    std::vector<PolicyUse> policy_uses;  ///< columns of amounts, after the model's inputs
    std::vector<InputFile> policy_files; ///< equations and recommendations
    std::vector<Arm> arms;
    std::vector<Outcome> outcomes;
    std::vector<Save> saves;
    std::vector<Samples> samples;
    /// Whether outcomes, covariates, genotypes, parameters and diagnostics of every subject are
    /// written; else summaries stand in their place.
    bool writes_subjects = true;
    std::vector<std::vector<BoundOutcome>> bound_outcomes; ///< [arm][outcome]
    std::vector<double> outcome_thresholds; ///< [outcome], in its call's unit; NaN: no comparison
    std::vector<sim::Unit> outcome_units;   ///< [outcome]; "1" for comparisons
    std::vector<Stratification> stratifications; ///< the first: all subjects together
    std::vector<Endpoint> endpoints;
    std::optional<DoseSearch> dose_search;
    std::string solver; ///< "" : chosen by structure
    double rtol = 1e-6;
    std::int64_t max_steps = 1'000'000;
    std::uint64_t max_failures = 0; ///< subjects that may fail before the exit code says so
};

/// Of all subjects in all arms of all replicates.
std::uint64_t n_solves(const Study& study);

struct StudyOptions {
    std::vector<std::string> overrides; ///< "path=value", applied in order
    std::optional<std::uint64_t> seed;
};

/// The arm's regimen.
const pkpd::Regimen& regimen_of(const Study& study, const Arm& arm);

/// All mistakes of all files (study, model, genes) together.
/// @throws sim::InputError
Study load_study(const std::filesystem::path& file,
                 const io::Library& library,
                 const StudyOptions& options = {});
void describe_study_for_reference(io::Fields& fields);

} // namespace gemel::scenarios
