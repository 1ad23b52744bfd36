#pragma once

#include "policies/genotype_classes.hpp"
#include "policies/policy_words.hpp"

#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/recommendation.hpp>
#include <gemel/scenarios/study.hpp>

/// The rules behind policies, each met with a study.
namespace gemel::scenarios {

/// What a rule is made from.
struct PolicyPlace {
    const PolicyWords& words;
    const Study& study;
    const Knowledge& knowledge; ///< of the regimen
    sim::DiagnosticList& diagnostics;

    void mistake(const sim::SourceSpan& span, std::string message, std::string help = {}) const {
        diagnostics.add(span, std::move(message), std::move(help));
    }
};

/// Doses of a published equation. @returns nullptr after mistakes
std::shared_ptr<const Policy> equation_policy(const PolicyPlace& place,
                                              std::shared_ptr<const pkpd::DoseEquation> equation);

/// The usual dose times the factor that a guideline advises, or none where it advises another drug.
std::shared_ptr<const Policy>
recommendation_policy(const PolicyPlace& place,
                      std::shared_ptr<const pkpd::DrugRecommendations> drug);

/// The dose that brings an outcome to a value in a typical patient of each genotype.
std::shared_ptr<const Policy> exposure_policy(const PolicyPlace& place, std::size_t use);

/// Tells where the population has another file of this gene, whose alleles need not be the same.
void check_gene(const PolicyPlace& place, const pkpd::GeneTable& gene);

/// The numbers `given` in a policy, by the names of `asked`; of those not given nothing.
std::map<std::string, double> read_given(const PolicyPlace& place,
                                         const std::vector<pkpd::Covariate>& asked);

} // namespace gemel::scenarios
