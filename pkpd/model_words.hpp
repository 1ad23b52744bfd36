#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/covariate_value.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/uncertainty.hpp>
#include <gemel/sim/equations.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// A model file as it stands: every key read and checked by itself, no name looked up yet.
namespace gemel::pkpd {

/// A unit as declared.
struct DeclaredUnit {
    sim::Unit unit;
    sim::SourceSpan span;
    bool is_known = false; ///< false after a mistake: what has this unit is not checked further
};

/// One file of a model: the model's own (number 0), or one it uses. Its texts write names as in
/// that file; `names` says what they are called in the whole.
struct Scope {
    int user = -1;      ///< the scope of the file that uses it; -1: the model's own
    std::string prefix; ///< of its names in the whole
    std::filesystem::path file;
    io::TomlView root;                        ///< the file as it stands
    sim::SourceSpan used_at;                  ///< where the user names it
    std::map<std::string, std::string> names; ///< in the file → in the whole
    std::map<std::string, std::string> with;  ///< what it needs → that name in the user's file
    std::set<std::string> needs;
};

/// A file named in `uses`.
struct UseWords {
    sim::SourceSpan span;
    std::string file, prefix;
    std::map<std::string, std::string> with;
};

/// A quantity that a file expects from the model that uses it.
struct NeedWords {
    std::string name, about;
    sim::SourceSpan span;
    DeclaredUnit unit;
    int scope = 0;
};

/// A line of a block of equations, its target named as in the whole.
struct EquationWords {
    sim::Equation equation;
    int scope = 0;
};

struct ParameterWords {
    int scope = 0;
    std::string name, about, source;
    sim::SourceSpan span; ///< of its key; likewise below
    DeclaredUnit unit;
    std::optional<double> value;
    std::optional<sim::SourceText> expression; ///< where the value is one
    std::optional<sim::SourceText> scale;
    std::optional<double> lower, upper;
    io::TomlView iiv, iov;
    sim::SourceSpan value_span;
};

struct OmegaWords {
    sim::SourceSpan span;
    std::vector<std::string> of;
    sim::SourceSpan of_span;
    Level level = Level::subject;
    io::TomlView correlation, covariance;
};

struct MapWords {
    std::string name, gene, reference;
    bool has_gene = false; ///< the key stands there as a text, be it an empty one
    sim::SourceSpan span, gene_span, reference_span;
    GenotypeMap::By by = GenotypeMap::By::diplotype;
    GenotypeMap::Law law = GenotypeMap::Law::table;
    DeclaredUnit unit;
    bool has_unit = false; ///< values, not factors
    std::optional<double> exponent, half;
    io::TomlView table, otherwise;
    int scope = 0;
};

struct CovariateWords {
    int scope = 0;
    std::string name, about;
    sim::SourceSpan span;
    DeclaredUnit unit;
    std::vector<std::string> categories;
    bool is_mixture = false;         ///< of [mixtures], whose categories are sub-populations
    std::vector<double> proportions; ///< of a mixture; empty after a mistake
    io::TomlView reference;
};

struct StateWords {
    std::string name, about;
    sim::SourceSpan span;
    DeclaredUnit unit;
    double scale = 0.0;
    std::int64_t keeps_doses = 4;
    bool says_keeps_doses = false;
    std::optional<sim::Quantity> molar_mass;
};

/// An expression and the file whose names it uses.
struct ScopedText {
    sim::SourceText text;
    int scope = 0;
};

/// An enzyme or a transporter of the patient: one name is one enzyme, whichever file speaks of it.
struct EnzymeWords {
    std::string name, about;
    sim::SourceSpan span;
    int scope = 0;
    std::optional<ScopedText> turnover, ontogeny;
};

/// What a drug, or taking a drug of a class, does to an enzyme.
struct InteractionWords {
    std::string enzyme, inhibitor_class;
    sim::SourceSpan span, enzyme_span, class_span;
    int scope = 0;
    std::optional<sim::SourceText> by, Ki, kinact, KI, Emax, EC50;

    bool changes_amount() const { return kinact.has_value() || Emax.has_value(); }
};

/// A clearance put together from its pathways.
struct ClearanceWords {
    enum class Declared { systemic, apparent, intrinsic }; ///< CL, CL/F, CLint
    struct Pathway {
        std::string enzyme;
        sim::SourceSpan span;
        std::optional<sim::SourceText> share, activity;
    };
    std::string name, about, first_pass;
    sim::SourceSpan span, first_pass_span, flow_span;
    int scope = 0;
    Declared declared = Declared::systemic;
    std::vector<Pathway> pathways;
    std::optional<sim::SourceText> of, renal, kidney, liver, flow, absorbed;
};

struct RouteWords {
    std::string name, about, into;
    sim::SourceSpan span, into_span;
    bool is_default = false;
};

struct ErrorWords {
    ResidualError law; ///< without what has a unit
    sim::Quantity half_time;
    io::TomlView lloq, uloq;
};

struct OutputWords {
    std::string name, label;
    sim::SourceSpan span;
    DeclaredUnit unit;
    ErrorWords error;
};

struct ResidualCorrelationWords {
    std::vector<std::string> of;
    sim::SourceSpan of_span;
    io::TomlView correlation;
};

struct TestWords {
    sim::SourceSpan span;
    std::string about, source;
    std::vector<DoseWords> doses;
    std::vector<sim::Quantity> at;
    sim::SourceSpan at_span;
    io::TomlView expect, genotypes, covariates, parameters;
    double within = 1e-3;
};

struct ModelWords {
    std::string format, name, about, source;
    DeclaredUnit time;
    std::optional<sim::Quantity> molar_mass;
    std::vector<UseWords> uses, tested_with;
    std::vector<NeedWords> needs;
    sim::SourceText equations;        ///< of the file itself
    std::vector<EquationWords> lines; ///< of all files; filled by compose()
    std::vector<Scope> scopes;        ///< likewise
    std::vector<int> scope_order;     ///< likewise: as their rows stand, used files first
    std::vector<std::shared_ptr<const sim::SourceFile>> used_files;
    std::vector<ParameterWords> parameters;
    std::vector<OmegaWords> omega;
    std::vector<MapWords> maps;
    std::vector<CovariateWords> covariates;
    std::vector<StateWords> states;
    std::vector<EnzymeWords> enzymes;
    std::vector<InteractionWords> interactions;
    std::vector<ClearanceWords> clearances;
    std::vector<RouteWords> routes;
    std::vector<OutputWords> outputs;
    std::vector<ResidualCorrelationWords> residual_correlations;
    std::vector<TestWords> tests;
    std::optional<ModelledDrug> drug;
    std::shared_ptr<UncertaintyWords> uncertainty;
    std::size_t n_mistakes_in_tests = 0; ///< so far

    io::TomlView root;                          ///< unset while listing
    sim::DiagnosticList* diagnostics = nullptr; ///< null while listing

    /// What a word in a file's text is called in the whole; nothing where the file has no such
    /// name.
    std::optional<std::string> in_whole(const std::string& word, int scope) const;
};

/// The grammar of model files.
void describe_model(io::Fields& fields, ModelWords& words);
/// Of `[drug]`.
void describe_drug(io::Fields& fields, ModelledDrug& drug);
/// Of one `[[omega]]`.
void describe_omega(io::Fields& fields, OmegaWords& omega);
/// Of `iiv` and `iov`, kept as they stand, and of the bounds of a typical value.
void describe_effects(io::Fields& fields, io::TomlView& iiv, io::TomlView& iov);
void describe_bounds(io::Fields& fields,
                     std::optional<double>& lower,
                     std::optional<double>& upper);
/// Of `error = { … }`.
void describe_error(io::Fields& fields, ErrorWords& error);
/// Of one `[maps.NAME]`.
void describe_map(io::Fields& fields, MapWords& map);

/// Its parts about enzymes: `[enzymes.X]`, `[[interactions]]`, `[clearances.X]`.
void describe_enzymes(io::Fields& fields, ModelWords& words);

/// The name of the state that holds an enzyme's amount.
inline std::string amount_of(const std::string& enzyme) {
    return enzyme + "_amount";
}

/// The place of `[section.KEY]`'s own name, which the span of its value is not.
sim::SourceSpan key_place(const ModelWords& words,
                          const std::string& section,
                          const io::Fields& fields,
                          const std::string& key);

/// Reads [section.KEY] tables into a list, in the order of the file.
template <class Row, class Describe>
void describe_keyed(io::Fields& fields,
                    ModelWords& words,
                    const io::Field& field,
                    std::vector<Row>& rows,
                    Describe describe) {
    fields.keyed(field, [&](const std::string& key, io::Fields& row) {
        Row& entry = rows.emplace_back();
        entry.name = key;
        entry.span = key_place(words, field.name, row, key);
        describe(row, entry);
    });
}

/// What `iiv = { … }` says about a parameter in `unit`; nothing after a mistake.
std::optional<Variability>
read_iiv(const io::TomlView& view, const sim::Unit& unit, sim::DiagnosticList& diagnostics);
/// The same of `iov = { … }`, whose effect enters as that of iiv does.
/// @param iiv  of the same parameter, or nullptr
std::optional<Variability> read_iov(const io::TomlView& view,
                                    const Variability* iiv,
                                    const sim::Unit& unit,
                                    sim::DiagnosticList& diagnostics);
void describe_iiv_for_reference(io::Fields& fields);
void describe_iov_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
