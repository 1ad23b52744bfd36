#pragma once

#include <gemel/learners/vpc.hpp>
#include <gemel/pkpd/input_files.hpp>
#include <gemel/pkpd/population.hpp>
#include <gemel/sim/solver.hpp>

#include <Eigen/Dense>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Calibration of a population model from observed data. Theory manual: estimation.md.
namespace gemel::learners {

/// How estimates are found. Its row in the registry (estimate.hpp) says more.
enum class Method { saem, focei, foce, fo, laplace, agq };
inline constexpr std::string_view method_names[] = {
    "saem", "focei", "foce", "fo", "laplace", "agq"};
std::string_view name(Method method);

/// One number of the model's laws: estimated, unless it is fixed.
struct FitNumber {
    pkpd::LawNumber law; ///< "CL", "iiv.CL.sd", "iiv.CL.V.covariance", "error.Cp.additive"
    double start = 0.0;  ///< in law.unit
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    bool is_fixed = false;
};

struct FitOptions {
    Method method = Method::saem;
    std::uint64_t seed = 1;
    int n_starts = 1;
    double rtol = 1e-8;
    std::int64_t max_steps = 1'000'000;
    std::string solver; ///< "": what the model's structure asks for
    // SAEM
    int n_chains = 0;        ///< per subject; 0: 4, or a multiple of it near 100 chains in all
    int n_exploration = 300; ///< at most; it ends when parameters wander no more
    int n_smoothing = 150;
    // Quasi-Newton methods
    int max_iterations = 200;
    // Likelihood
    int n_draws = 2000;  ///< per subject, of importance sampling
    int n_nodes = 0;     ///< per effect, of quadrature; 0: by the number of effects
    int n_bootstrap = 0; ///< refits to resampled subjects
    // Diagnosis
    bool has_simulations = true; ///< npde and predictive checks, by simulated data sets
};

/// Who computes. Changes no result.
struct FitExecution {
    int n_threads = 0; ///< 0: all cores
    sim::ExecutorChoice executor = sim::ExecutorChoice::interpreter;
    const sim::NativeCode* native_code = nullptr; ///< outlives the fit
};

/// A fit as its file says it.
struct FitSetup {
    std::filesystem::path file;
    std::string name, about;
    std::vector<std::string> overrides;       ///< "path=value", of the fit's file, in order
    std::vector<pkpd::InputFile> inputs;      ///< every file read: fit, model, data, genes, …
    std::shared_ptr<const pkpd::Model> model; ///< with the changes of the fit's file
    pkpd::ModelChanges changes;
    std::shared_ptr<const pkpd::DataSet> data;
    /// The subjects of the data: covariates, genotypes, timelines; no effects are drawn.
    pkpd::Population population;
    sim::PendingDoses pending = sim::PendingDoses::given;
    /// Outputs that are fitted, of those the data measure; empty: all.
    std::vector<int> outputs;
    std::vector<FitNumber> numbers;
    FitOptions options;
};

/// Where a fit stands, for who watches. Called from the thread that fits.
struct FitProgress {
    std::string phase; ///< "exploration", "smoothing", "likelihood", …
    std::int64_t step = 0, n_steps = 0;
    double objective = std::numeric_limits<double>::quiet_NaN(); ///< where one is known
    const std::vector<double>* values = nullptr;                 ///< [numbers.size()]
};
class FitMonitor {
public:
    virtual ~FitMonitor() = default;
    virtual void advance(const FitProgress& progress) = 0;
    virtual bool is_cancelled() const { return false; }
};

/// −2·log-likelihood of the data, all constants kept: n·log 2π is in it.
struct Likelihood {
    std::string method; ///< "importance sampling", "adaptive Gauss–Hermite, 7 nodes", …
    double minus_two_ll = std::numeric_limits<double>::quiet_NaN();
    double standard_error = 0.0;         ///< of a Monte Carlo method; 0: there is none
    std::vector<double> by_subject;      ///< [n_subjects] −2·log-likelihood
    std::vector<double> standard_errors; ///< [n_subjects] of those; empty: none
    std::vector<double> k_hat;           ///< [n_subjects] Pareto tail of the weights; empty: none
    std::vector<double> effective_draws; ///< [n_subjects]; empty: none

    void add_up(); ///< the whole of subjects' parts
};

/// Errors of the estimated numbers.
struct Uncertainty {
    std::string method; ///< "linearised", "observed information (Louis)", "sandwich", "bootstrap"
    /// [n_estimated × n_estimated] of the numbers themselves; NaN of those held.
    Eigen::MatrixXd covariance;
    double condition_number = std::numeric_limits<double>::quiet_NaN(); ///< of the correlation
    bool is_usable = false; ///< positive definite and finite, but for numbers held
    std::string why_not;    ///< in words, where it is not
    /// Of which the data say nothing at the estimates: held while the errors of the others were
    /// found.
    std::vector<std::string> held = {};
};

struct IndividualEstimate {
    std::vector<double> mode;            ///< [n_effects] η, then κ of each occasion
    Eigen::MatrixXd covariance_expected; ///< inverse of Ω⁻¹ + expected information (NONMEM's ETC)
    Eigen::MatrixXd covariance_observed; ///< inverse of the full Hessian
    std::vector<double> mean, sd;        ///< of the conditional law; empty: not drawn
    std::vector<double> parameters;      ///< [model parameters] at the mode, of the first row
};

/// Of each observation, in the order of the file.
struct ObservationDiagnostics {
    std::size_t subject = 0, observation = 0; ///< of the data set's subject
    int output = 0;
    double time = 0.0, dv = 0.0;
    bool is_censored = false;
    double pred = 0.0, ipred = 0.0, iwres = 0.0, cwres = 0.0, npde = 0.0, pd = 0.0;
};

struct Shrinkage {
    std::string name; ///< "eta.CL", "kappa.CL", "epsilon.Cp"
    double sd = 0.0;  ///< 1 − sd/ω
    double var = 0.0; ///< 1 − var/ω²
};

struct FitWarning {
    std::string what; ///< one sentence, naming the parameter
    std::string help;
};

struct FitResult {
    bool is_converged = false;
    std::string stop_reason;
    std::vector<double> values;         ///< [numbers.size()] estimates; the fixed ones as they were
    std::vector<std::size_t> estimated; ///< numbers that are not fixed, as in covariances
    double objective = std::numeric_limits<double>::quiet_NaN(); ///< of the method; OFV of NONMEM:
                                                                 ///< without n·log 2π
    std::string objective_name;
    std::vector<Likelihood> likelihoods;    ///< the best first
    std::vector<Uncertainty> uncertainties; ///< the one to use first
    std::vector<IndividualEstimate> individuals;
    std::vector<std::string> effect_names; ///< of IndividualEstimate::mode, "eta.CL", "kappa.CL.1"
    std::vector<ObservationDiagnostics> observations;
    std::vector<Shrinkage> shrinkage;
    std::vector<VpcBin> vpc; ///< plain, then prediction-corrected
    std::vector<FitWarning> warnings;
    std::vector<std::string> notes; ///< what was done, in words: mu-referenced parameters, …
    std::vector<std::vector<double>> trace; ///< [n_iterations][numbers.size()]
    std::int64_t n_solves = 0;
    double solver_seconds = 0.0, total_seconds = 0.0; ///< CPU; not in results' digest
};

/// @throws std::invalid_argument for a setup that no data file can be fitted by, in words
FitResult
fit(const FitSetup& setup, const FitExecution& execution = {}, FitMonitor* monitor = nullptr);

} // namespace gemel::learners
