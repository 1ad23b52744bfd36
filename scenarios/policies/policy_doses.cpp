#include "policies/policy_doses.hpp"

#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::scenarios {

namespace {

/// The amount of one dose: nothing where it is withheld, is no number or rounds to 0.
double finished(const PolicyUse& use, double given, PolicyAction& action) {
    if (action == PolicyAction::withheld) return 0.0;
    double amount = given * use.scale;
    const bool is_amount = amount > 0.0 && std::isfinite(amount);
    if (use.round_to > 0.0) amount = std::floor(amount / use.round_to + 0.5) * use.round_to;
    amount = std::clamp(amount, use.lowest, use.highest);
    if (is_amount && amount > 0.0) return amount;
    action = PolicyAction::no_dose;
    return 0.0;
}

pkpd::CohortBlock::PolicyDose
doses_of(const Study& study, const PolicyUse& use, const pkpd::CohortBlock& cohort) {
    const SeenSubjects subjects(study.population, cohort, study.knowledge[use.regimen]);
    const PolicyAmounts given = use.rule->amounts(subjects);
    pkpd::CohortBlock::PolicyDose doses;
    for (std::size_t s = 0; s < given.amount.size(); ++s) {
        PolicyAction action = given.action[s];
        doses.amount.push_back(finished(use, given.amount[s], action));
        doses.action.push_back(static_cast<std::uint8_t>(action));
    }
    return doses;
}

bool is_undosed(std::uint8_t action) {
    return action == static_cast<std::uint8_t>(PolicyAction::withheld) ||
           action == static_cast<std::uint8_t>(PolicyAction::no_dose);
}

/// How many rows of inputs a subject of the range has.
std::size_t n_rows_of(const Study& study, std::uint64_t subject) {
    return study.population.data == nullptr ? study.population.n_occasions
                                            : study.population.data->n_rows_of(subject);
}

std::string arms_of(const Study& study, const PolicyUse& use) {
    std::string arms;
    for (const Arm& arm : study.arms)
        if (arm.regimen == study.regimens[use.regimen].name)
            arms += (arms.empty() ? "" : ", ") + arm.name;
    return arms;
}

} // namespace

pkpd::CohortBlock draw_cohort(const Study& study, const sim::SubjectRange& range) {
    pkpd::CohortBlock cohort = study.population.draw(range);
    for (const PolicyUse& use : study.policy_uses)
        cohort.policies.push_back(doses_of(study, use, cohort));
    return cohort;
}

void find_typical_amounts(Study& study) {
    if (study.policy_uses.empty()) return;
    constexpr std::uint64_t n_first = 16;
    const pkpd::CohortBlock first =
        draw_cohort(study, {0, 0, std::min(n_first, study.population.size)});
    for (std::size_t use = 0; use < study.policy_uses.size(); ++use) {
        const std::vector<double>& amounts = first.policies[use].amount;
        study.policy_uses[use].typical = *std::max_element(amounts.begin(), amounts.end());
    }
}

std::span<double>::iterator fill_policies(const Study& study,
                                          const pkpd::CohortBlock& cohort,
                                          std::span<double>::iterator inputs) {
    for (const pkpd::CohortBlock::PolicyDose& policy : cohort.policies)
        for (std::size_t s = 0; s < policy.amount.size(); ++s)
            inputs =
                std::fill_n(inputs, n_rows_of(study, cohort.range.first + s), policy.amount[s]);
    return inputs;
}

std::vector<std::uint8_t>
undosed(const Study& study, std::size_t arm, const pkpd::CohortBlock& cohort) {
    std::vector<std::uint8_t> marks(static_cast<std::size_t>(cohort.range.count), 0);
    bool is_any = false;
    for (std::size_t use = 0; use < study.policy_uses.size(); ++use) {
        const std::size_t regimen = study.policy_uses[use].regimen;
        if (study.regimens[regimen].name != study.arms[arm].regimen) continue;
        for (std::size_t s = 0; s < marks.size(); ++s)
            if (is_undosed(cohort.policies[use].action[s])) {
                marks[s] = 1;
                is_any = true;
            }
    }
    return is_any ? marks : std::vector<std::uint8_t>();
}

sim::BlockResult without(const sim::BlockResult& result, std::span<const std::uint8_t> undosed) {
    constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    sim::BlockResult kept = result;
    const std::size_t n = undosed.size();
    for (std::size_t s = 0; s < n; ++s) {
        if (undosed[s] == 0) continue;
        for (std::vector<double>& curve : kept.sampled) {
            const std::size_t n_times = curve.size() / n;
            std::fill_n(curve.begin() + static_cast<std::ptrdiff_t>(s * n_times), n_times, missing);
        }
        for (std::size_t f = s; f < kept.functionals.size(); f += n)
            kept.functionals[f] = missing;
        for (std::vector<double>& own : kept.own)
            for (std::size_t k = kept.own_first[s]; k < kept.own_first[s + 1]; ++k)
                own[k] = missing;
    }
    return kept;
}

void declare_policies(const Study& study, io::Layout& file) {
    for (const PolicyUse& use : study.policy_uses) {
        file.add({"policies/" + use.name,
                  io::ValueType::real,
                  {"subject"},
                  use.unit.text,
                  fmt::format("amount of a dose by the policy {} in the regimen {}; 0: none",
                              use.policy,
                              study.regimens[use.regimen].name),
                  {},
                  {}});
        io::Variable action{"policies/" + use.name + "_action",
                            io::ValueType::category,
                            {"subject"},
                            "1",
                            "how this amount came about",
                            {},
                            {}};
        for (const std::string_view name : policy_action_names)
            action.meanings.emplace_back(name);
        file.add(action);
    }
}

void write_policies(const Study& study, const pkpd::CohortBlock& cohort, io::ResultFile& file) {
    for (std::size_t use = 0; use < study.policy_uses.size(); ++use) {
        const std::string path = "policies/" + study.policy_uses[use].name;
        const pkpd::CohortBlock::PolicyDose& doses = cohort.policies[use];
        file.write(path, -1, cohort.range.first, std::span<const double>(doses.amount));
        file.write(
            path + "_action", -1, cohort.range.first, std::span<const std::uint8_t>(doses.action));
    }
}

void count_policies(const pkpd::CohortBlock& cohort, std::vector<PolicyCounts>& counts) {
    for (std::size_t use = 0; use < cohort.policies.size(); ++use)
        for (const std::uint8_t action : cohort.policies[use].action)
            ++counts[use][action];
}

std::vector<std::string> describe_policies(const Study& study,
                                           const std::vector<PolicyCounts>& counts) {
    const char* const words[n_policy_actions] = {
        "dosed by it",
        "without advice, with the dose stated for that",
        "without this drug, another being advised; their outcomes are missing",
        "without a dose, the policy giving none; their outcomes are missing"};
    std::vector<std::string> lines;
    for (std::size_t use = 0; use < counts.size(); ++use) {
        std::string text;
        for (std::size_t action = 0; action < n_policy_actions; ++action)
            if (counts[use][action] > 0)
                text += fmt::format("{}{} {}",
                                    text.empty() ? "" : "; ",
                                    grouped(counts[use][action]),
                                    words[action]);
        const std::string arms = arms_of(study, study.policy_uses[use]);
        if (!arms.empty())
            lines.push_back(
                fmt::format("{}, arm {}: {}", study.policy_uses[use].policy, arms, text));
    }
    return lines;
}

} // namespace gemel::scenarios
