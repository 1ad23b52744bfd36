#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/io/resources.hpp>
#include <gemel/io/toml.hpp>
#include <gemel/pkpd/gene_table.hpp>
#include <gemel/sim/ode_system.hpp>

#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A pharmacological model as its file states it, and the OdeSystem it is lowered to.
namespace gemel::pkpd {

/// How a random effect enters a parameter: P = typical·exp(η), typical + η, logit⁻¹(logit typical +
/// η), or typical·exp(((exp η)^λ − 1)/λ). η is normal, but for student, where it is scale·t with t
/// of Student's distribution and P = typical·exp(η).
enum class VariabilityLaw { lognormal, normal, logit, boxcox, student };
std::string_view name(VariabilityLaw law); ///< "lognormal", …

/// Who a random effect is drawn for: once for a subject, η, or for each of its occasions, κ, which
/// adds to η.
enum class Level { subject, occasion };

/// Variability of one parameter, between subjects or between occasions. `sd` is that of η, whatever
/// reading the file uses.
struct Variability {
    VariabilityLaw law = VariabilityLaw::lognormal;
    double sd = 0.0;     ///< of student: infinite unless df > 2
    double lambda = 0.0; ///< of boxcox
    double df = 0.0;     ///< degrees of freedom, of student
    double scale = 0.0;  ///< of student: what multiplies t, sd·√((df − 2)/df)
    std::string reading; ///< "sd", "var", "cv", "cv_approx", "scale": as the file says

    /// What multiplies z or t: sd, or scale.
    double spread() const { return law == VariabilityLaw::student ? scale : sd; }
    /// The effect whose normal score is z: sd·z, or scale·t with t of the same probability.
    double effect(double z) const;
};

struct Parameter {
    std::string name;
    std::string about;
    sim::SourceSpan span;
    sim::Unit unit;
    double value = 0.0;       ///< typical value, in unit
    bool is_computed = false; ///< the file gives an expression: value is NaN, there is no theta
    std::optional<Variability> iiv; ///< between subjects
    std::optional<Variability> iov; ///< between occasions: adds to the effect of iiv, by its law
    std::optional<double> lower, upper; ///< bounds for the typical value, in unit

    const std::optional<Variability>& effect(Level level) const {
        return level == Level::subject ? iiv : iov;
    }
    /// The variability whose law says how effects enter; nullptr without any.
    const Variability* law() const { return iiv ? &*iiv : iov ? &*iov : nullptr; }
};

/// Correlated random effects of a group of parameters, [n × n] covariance of η; of effects of law
/// student that of scale·z, z being their normal scores.
struct OmegaBlock {
    std::vector<int> of; ///< parameters
    std::vector<double> covariance;
    Level level = Level::subject;
};

/// From a gene to a number: what `[maps.NAME]` says. The only door from genes to parameters.
struct GenotypeMap {
    enum class By { diplotype, allele, phenotype, activity_score };
    std::string name;
    std::string gene;
    sim::SourceSpan span;
    By by = By::diplotype;
    sim::Unit unit; ///< of the values; "1" for factors

    /// How a score becomes a value, s being the score and r that of the reference: by the table;
    /// (s/r)^exponent; (s/(half + s)) / (r/(half + r)).
    enum class Law { table, power, emax };
    Law law = Law::table;
    double exponent = 1.0, half = 0.0, reference_score = 0.0;

    /// Values by diplotype (allele values are multiplied beforehand), phenotype index or score.
    std::map<Diplotype, double> by_diplotype;
    std::map<int, double> by_phenotype;
    std::map<double, double> by_score;

    /// What holds for diplotypes the table does not name; none: they are an error.
    struct Otherwise {
        By by = By::activity_score;
        std::map<int, double> by_phenotype;
        std::map<double, double> by_score;
        /// Activities an allele of unknown function may have, with probabilities: drawn per subject
        /// and allele. Empty: such alleles are an error.
        std::vector<std::pair<double, double>> uncertain_activity;
        /// No table of its own: a score with drawn activities enters the map itself.
        bool uses_map = false;
        std::string source; ///< "assumed: …"
    };
    std::optional<Otherwise> otherwise;
};

struct Covariate {
    std::string name;
    std::string about;
    sim::Unit unit;
    std::vector<std::string>
        categories;                  ///< empty: a number. Expressions see NAME_category as 0 or 1
    std::optional<double> reference; ///< for typical patients and tests; a category's index
    /// Of a mixture, [n_categories]: nobody observes it, and the model itself says how often each
    /// sub-population is, where the population does not. Empty: a covariate.
    std::vector<double> proportions;
    sim::SourceSpan span;
};

struct Route {
    std::string name;
    std::string about;
    int state = 0;
    bool is_default = false;
};

/// Between which values a method quantifies; NaN: there is no such limit.
struct QuantificationLimits {
    double lower = std::numeric_limits<double>::quiet_NaN();
    double upper = std::numeric_limits<double>::quiet_NaN();

    bool has_lower() const { return lower == lower; }
    bool has_upper() const { return upper == upper; }
};

/// Law of the residual error of an output; parameters in the output's unit or as a fraction.
struct ResidualError {
    enum class Law { none, additive, proportional, combined1, combined2, lognormal, power };
    Law law = Law::none;
    double additive = 0.0, proportional = 0.0, exponent = 1.0;
    double log_sd = 0.0;    ///< of lognormal
    double half_time = 0.0; ///< errors this far apart in time have a correlation of ½; 0: none
    QuantificationLimits limits; ///< in the output's unit
};

/// Residual errors of outputs measured at one time, [n × n] correlation.
struct ResidualCorrelation {
    std::vector<int> of; ///< outputs
    std::vector<double> correlation;
};

/// What an input column of the OdeSystem holds.
struct InputSource {
    enum class Kind { theta, eta, iov, covariate, category, map };
    Kind kind = Kind::theta;
    int index = 0;    ///< of the parameter, covariate or map
    int category = 0; ///< of a category indicator
};

/// Dose as words, before it meets a model (see dosing.hpp).
struct DoseWords;
/// `[uncertainty]`, before it meets a study (see uncertainty.hpp).
struct UncertaintyWords;

struct ModelTest {
    sim::SourceSpan span;
    std::shared_ptr<const std::vector<DoseWords>> doses;
    std::map<std::string, std::string> genotypes; ///< gene → diplotype
    std::map<std::string, double> covariates;     ///< in the covariate's unit
    std::map<std::string, double> parameters; ///< replaced typical values, in the parameter's unit
    std::vector<double> at;                   ///< in the model's time unit
    std::map<std::string, std::vector<double>>
        expect;           ///< output → values at those times, in its unit
    double within = 1e-3; ///< relative
    std::string about, source;
};

/// What drug a model is of, and what its doses are judged by.
struct ModelledDrug {
    std::string name;         ///< as guidelines call it
    std::string about;        ///< for whom, and why these doses
    sim::SourceText exposure; ///< an outcome: "auc(C_morphine, last_interval)"
    std::shared_ptr<const std::vector<DoseWords>> usual;
    sim::Quantity duration; ///< of the usual doses
};

/// A quantity that a model expects from the one that uses it.
struct Need {
    std::string name;
    sim::Unit unit;
    sim::SourceSpan span;
};

struct Model {
    std::string id; ///< file name without ending
    std::string name, about, source;
    std::filesystem::path file;
    std::shared_ptr<const sim::SourceFile> text;
    std::vector<std::shared_ptr<const sim::SourceFile>> used; ///< files it is composed of besides
    /// Of the file itself. Its own tests are run with what it is `tested_with`; a study needs a
    /// model that gives them.
    std::vector<Need> needs;

    std::optional<ModelledDrug> drug; ///< of the file itself

    std::vector<Parameter> parameters;
    std::vector<OmegaBlock> omega; ///< correlated groups; parameters in none are independent
    std::vector<GenotypeMap> maps;
    std::vector<std::string> notes; ///< what stands for something better known, in words
    std::vector<Covariate> covariates;
    std::vector<Route> routes;
    std::vector<ResidualError> residual_errors; ///< [n_outputs]
    std::vector<ResidualCorrelation> residual_correlations;
    std::vector<double> molar_mass; ///< [n_states] in mg/nmol-coherent units; 0: not declared
    std::vector<ModelTest> tests;
    std::map<std::string, std::shared_ptr<const GeneTable>> genes; ///< of the maps
    /// What a calibration left open of it, `[uncertainty]` of the file itself: no law is drawn by
    /// it unless a study says so. nullptr: not known.
    std::shared_ptr<const UncertaintyWords> uncertainty;

    sim::OdeSystem system;           ///< lowered, units checked
    std::vector<InputSource> inputs; ///< [system.inputs.size()]

    int find_parameter(const std::string& name) const; ///< −1 if none; likewise below
    int find_covariate(const std::string& name) const;
    int find_output(const std::string& name) const;
    int find_state(const std::string& name) const;
    int find_route(const std::string& name) const; ///< "" gives the default route
};

/// What another file changes of a model's own before it is lowered, as it stands there: starts,
/// bounds, variability and errors. Names are those of the whole model.
struct ModelChanges {
    io::TomlView parameters; ///< `[parameters]`: keys that replace those of the same parameter
    io::TomlView omega;      ///< `[[omega]]`: all groups, instead of the model's
    io::TomlView outputs;    ///< `[outputs]`: errors
};
/// The keys of changes; what stands there is checked when it meets its model.
void describe_model_changes(io::Fields& fields, ModelChanges& changes);

/// Reads, checks and lowers a model file with the files it uses and the genes it names. All
/// mistakes of all files are added to diagnostics. @returns nullptr if there were any
std::shared_ptr<const Model> load_model(const std::filesystem::path& file,
                                        const io::Library& library,
                                        sim::DiagnosticList& diagnostics,
                                        const ModelChanges& changes = {});

/// What a model's own tests complete it with is no one's choice for a study or a fit: a mistake at
/// `place`, where `reference` names it.
void refuse_needs(const Model& model,
                  const std::string& reference,
                  const sim::SourceSpan& place,
                  sim::DiagnosticList& diagnostics);

/// "library:NAME" or a file beside the one that names it. @returns "" after telling at `place` that
/// there is none
std::filesystem::path find_model(const std::string& reference,
                                 const std::filesystem::path& named_in,
                                 const sim::SourceSpan& place,
                                 const io::Library& library,
                                 sim::DiagnosticList& diagnostics);

/// The keys of model and gene files, for the reference pages and tests of bad input.
void describe_model_for_reference(io::Fields& fields);
void describe_gene_for_reference(io::Fields& fields);

/// A map's value for a subject, or nothing if the map does not cover it. `activities` are those of
/// the two alleles (drawn, where unknown). `is_assumed` tells that `otherwise` was used.
std::optional<double> map_value(const GenotypeMap& map,
                                const GeneTable& gene,
                                const Diplotype& diplotype,
                                std::optional<double> score,
                                bool* is_assumed);

/// A patient given by name: what tests, `variability = "none"` checks and personal dosing start
/// from.
struct TypicalPatient {
    std::map<std::string, std::string> genotypes; ///< genes not named: the reference diplotype
    std::map<std::string, double> covariates;     ///< not named: the model's reference
    std::map<std::string, double> parameters;     ///< replaced typical values
};
/// The input column of a typical patient (all η = 0), [n_inputs].
/// @throws std::invalid_argument naming a covariate without reference, or an unknown name
std::vector<double> typical_inputs(const Model& model, const TypicalPatient& patient);

/// Runs one of the model's own tests. @returns "" or what differs, in words
std::string
run_model_test(const Model& model, const ModelTest& test, const std::string& solver, double rtol);

} // namespace gemel::pkpd
