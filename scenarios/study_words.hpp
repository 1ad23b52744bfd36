#pragma once

#include "endpoints/endpoint_words.hpp"
#include "find_dose/dose_search_words.hpp"
#include "policies/policy_words.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/data_file.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/uncertainty.hpp>
#include <gemel/scenarios/study.hpp>

#include <optional>
#include <string>
#include <vector>

/// A study file as it was written, before it meets its model.
namespace gemel::scenarios {

struct RegimenWords {
    std::string name;
    sim::SourceSpan span;
    std::vector<pkpd::DoseWords> doses;
    std::optional<sim::PendingDoses> pending;
    io::TomlView knows;
};

struct ArmWords {
    Arm arm;
    sim::SourceSpan regimen_span;
};

struct OutcomeWords {
    std::string name;
    sim::SourceText text;
};

struct SaveWords {
    std::string output;
    sim::SourceSpan span, every_span, at_span, from_span, to_span, summary_span;
    std::optional<sim::Quantity> every, from, to;
    std::vector<sim::Quantity> at;
    std::optional<std::uint64_t> n_subjects; ///< nothing: as all else, see StudyWords
    std::optional<bool> has_summary;         ///< nothing: unless all subjects are written
};

struct SamplesWords {
    SaveWords times; ///< output and times alone
    io::TomlView lloq, uloq;
};

struct StudyWords {
    int format = 0;
    int design = 0;
    std::string model, title;
    sim::SourceSpan replicates_span, model_span, duration_span, solver_span, arms_span;
    std::int64_t seed = 0;
    sim::Quantity duration;
    bool has_duration = false;
    std::optional<pkpd::DataWords> data;
    std::string solver = "auto";
    double rtol = 1e-6;
    std::int64_t max_steps = 1'000'000;
    std::int64_t max_failures = 0;
    std::int64_t replicates = 0;
    io::TomlView occasions;
    std::optional<pkpd::UncertaintyWords> uncertainty;
    io::TomlView population;
    std::vector<PolicyWords> policies;
    std::vector<RegimenWords> regimens;
    std::vector<ArmWords> arms;
    std::vector<OutcomeWords> outcomes;
    std::vector<EndpointWords> endpoints;
    std::optional<DoseSearchWords> dose_search;
    std::vector<SaveWords> saves;
    std::vector<SamplesWords> samples;
    bool saves_subjects = true; ///< save.subjects
    bool has_arms = false;
};

/// Letters, digits and _, not beginning with a digit.
bool is_identifier(const std::string& text);
/// Texts that reach a terminal must not steer it.
void check_printable(io::Fields& fields, const std::string& name, const std::string& text);

/// Every key of a study file; fills `words` while reading.
void describe_study(io::Fields& fields, StudyWords& words, sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
