#include "covariate_law.hpp"
#include "keys.hpp"
#include "population_reading.hpp"

#include <gemel/io/fields.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

/// The ancestry of a population: groups of people, and people of several groups at once.
namespace gemel::pkpd {
namespace {

constexpr const char* rest_word = "rest";

struct AdmixedGroup {
    double share = 0.0;
    std::vector<std::pair<std::string, double>> ancestors;
    PersonalShares personal;
};

/// Shares of a genome that a person's covariates hold: `{ SSA = "AFRICAN", EUR = "rest" }`.
class CovariateShares {
public:
    CovariateShares(const std::vector<Covariate>& covariates, sim::DiagnosticList& diagnostics)
        : covariates_(covariates),
          diagnostics_(diagnostics) {}

    void read(const io::TomlView& view, AdmixedGroup& group) {
        const auto members = view.members();
        for (const auto& [code, member] : members) {
            group.ancestors.emplace_back(code, 1.0 / static_cast<double>(members.size()));
            group.personal.covariates.push_back(find(code, member));
        }
        if (std::ranges::count(group.personal.covariates, -1) > 1 && is_right_)
            diagnostics_.add(view.span(),
                             "more than one group has what the others leave",
                             "write \"rest\" once");
    }

private:
    int find(const std::string& code, const io::TomlView& view) {
        const std::string text = view.text().value_or("");
        if (text == rest_word) return -1;
        std::vector<std::string> known{rest_word};
        for (std::size_t c = 0; c < covariates_.size(); ++c) {
            const Covariate& covariate = covariates_[c];
            if (!covariate.categories.empty() || covariate.unit.dimension != sim::Dimension{})
                continue;
            known.push_back(covariate.name);
            if (text == covariate.name) return static_cast<int>(c);
        }
        is_right_ = false;
        diagnostics_.add(view.span(),
                         fmt::format("the share of {} in a person's genome is no covariate without "
                                     "unit",
                                     code),
                         text.empty() ? "numbers, or names of covariates for all groups but one, "
                                        "\"rest\""
                                      : sim::suggest(text, known));
        return -1;
    }

    const std::vector<Covariate>& covariates_;
    sim::DiagnosticList& diagnostics_;
    bool is_right_ = true;
};

bool names_covariates(const io::TomlView& view) {
    for (const auto& [code, member] : view.members())
        if (member.text()) return true;
    return false;
}

AdmixedGroup read_admixed(const io::TomlView& view,
                          const std::vector<Covariate>& covariates,
                          sim::DiagnosticList& diagnostics) {
    AdmixedGroup group;
    io::read_fields(view, diagnostics, [&](io::Fields& f) {
        io::Field share = required_key("share", "of the population", "0.6");
        share.at_least = 0.0;
        share.at_most = 1.0;
        f.number(share, group.share);
        f.any(required_key("admixed",
                           "groups with their share of a genome, or with covariates that hold it",
                           "{ EUR = 1 }"),
              "shares by group",
              [&](const io::TomlView& given) {
                  if (names_covariates(given))
                      CovariateShares(covariates, diagnostics).read(given, group);
                  else
                      group.ancestors =
                          read_probabilities(given, "shares of a genome", diagnostics);
              });
        io::Field concentration = optional_key(
            "concentration", "people's own shares are of a Dirichlet law about these", "20");
        concentration.at_least = 0.1; // below it nearly everybody is of one group
        f.number(concentration, group.personal.concentration);
        if (f.has("concentration") && !group.personal.covariates.empty())
            f.mistake("concentration",
                      "the shares are those of the covariates",
                      "leave one of the two out");
    });
    return group;
}

void read_groups_with_admixture(const io::TomlView& ancestry,
                                Population& population,
                                sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    for (const auto& [name, view] : ancestry.members()) {
        AdmixedGroup group;
        if (view.kind() == io::TomlKind::table) {
            group = read_admixed(view, population.covariates, diagnostics);
        } else if (const auto share = view.number(); share && *share >= 0.0 && *share <= 1.0) {
            group = {*share, {{name, 1.0}}, {}};
        } else {
            diagnostics.add(view.span(),
                            fmt::format("the proportion of {} is a number from 0 to 1, or {{ share "
                                        "= …, admixed = {{ … }} }}",
                                        name));
            continue;
        }
        population.groups.push_back(name);
        population.group_proportions.push_back(group.share);
        population.group_ancestors.push_back(std::move(group.ancestors));
        population.group_shares.push_back(std::move(group.personal));
    }
    if (diagnostics.size() > n_before) return;
    const auto& proportions = population.group_proportions;
    check_sum_of_shares(std::accumulate(proportions.begin(), proportions.end(), 0.0),
                        "proportions",
                        ancestry.span(),
                        diagnostics);
}

bool has_admixture(const io::TomlView& ancestry) {
    for (const auto& [name, view] : ancestry.members())
        if (view.kind() == io::TomlKind::table) return true;
    return false;
}

} // namespace

void read_ancestry(const io::TomlView& ancestry,
                   Population& population,
                   sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    if (const std::optional<std::string> text = ancestry.text()) {
        population.groups = {*text};
        population.group_proportions = {1.0};
        population.group_ancestors = {{{*text, 1.0}}};
        population.group_shares.assign(1, {});
        return;
    }
    if (ancestry.kind() != io::TomlKind::table) {
        diagnostics.add(ancestry.span(),
                        "`ancestry` is a group or a table of groups and their proportions",
                        "as in ancestry = \"EUR\" or ancestry = { EUR = 0.5, EAS = 0.5 }");
        return;
    }
    if (has_admixture(ancestry)) {
        read_groups_with_admixture(ancestry, population, diagnostics);
    } else {
        for (const auto& [group, proportion] :
             read_probabilities(ancestry, "proportions", diagnostics)) {
            population.groups.push_back(group);
            population.group_proportions.push_back(proportion);
            population.group_ancestors.push_back({{group, 1.0}});
            population.group_shares.emplace_back();
        }
    }
    if (population.groups.size() > 255)
        diagnostics.add(ancestry.span(), "at most 255 groups are understood");
    if (diagnostics.size() != n_before) {
        population.groups.clear(); // told already: no second message about genes
        population.group_proportions.clear();
        population.group_ancestors.clear();
        population.group_shares.clear();
    }
}

namespace {

/// The largest sum of some covariates over rows, and the smallest.
std::pair<double, double> sums_of_rows(const Stratum& stratum, const std::vector<int>& covariates) {
    double lowest = 1.0, highest = 0.0;
    for (std::size_t row = 0; row < stratum.rows->n_rows; ++row) {
        double sum = 0.0;
        for (const int c : covariates)
            if (c >= 0)
                sum += stratum.rows->values[stratum.laws[static_cast<std::size_t>(c)].column *
                                                stratum.rows->n_rows +
                                            row];
        lowest = std::min(lowest, sum);
        highest = std::max(highest, sum);
    }
    return {lowest, highest};
}

} // namespace

void check_personal_shares(const Population& population,
                           const Stratum& stratum,
                           std::size_t group,
                           const sim::SourceSpan& place,
                           sim::DiagnosticList& diagnostics) {
    using Law = CovariateDistribution::Law;
    const std::vector<int>& covariates = population.group_shares[group].covariates;
    constexpr double rounding = 1e-6; // of printed digits
    double highest = 0.0;
    bool are_rows = true;
    for (const int c : covariates) {
        if (c < 0) continue;
        const CovariateDistribution& law = stratum.laws[static_cast<std::size_t>(c)];
        const auto [lower, upper] = support(law, stratum.rows.get());
        highest += upper;
        are_rows = are_rows && law.law == Law::row;
        if (!(lower >= 0.0))
            diagnostics.add(place,
                            fmt::format("{}, a share of a genome, can be below 0",
                                        population.covariates[static_cast<std::size_t>(c)].name),
                            "restrict it by within = [0, 1]");
    }
    double lowest = 0.0;
    if (are_rows) std::tie(lowest, highest) = sums_of_rows(stratum, covariates);
    const bool has_rest = std::ranges::count(covariates, -1) > 0;
    if (!(highest <= 1.0 + rounding) || (!has_rest && !(lowest >= 1.0 - rounding)))
        diagnostics.add(
            place,
            fmt::format("the shares of {}'s genomes can sum to {:.6g}",
                        population.groups[group],
                        highest <= 1.0 + rounding ? lowest : highest),
            "write \"rest\" for one of the groups, and restrict the others so that they "
            "leave it something, or take all from rows that sum to 1");
}

} // namespace gemel::pkpd
