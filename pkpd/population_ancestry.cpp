#include "keys.hpp"
#include "population_reading.hpp"

#include <gemel/io/fields.hpp>

#include <fmt/format.h>

#include <cmath>
#include <numeric>

/// The ancestry of a population: groups of people, and people of several groups at once.
namespace gemel::pkpd {
namespace {

struct AdmixedGroup {
    double share = 0.0;
    std::vector<std::pair<std::string, double>> ancestors;
};

AdmixedGroup read_admixed(const io::TomlView& view, sim::DiagnosticList& diagnostics) {
    AdmixedGroup group;
    io::read_fields(view, diagnostics, [&](io::Fields& f) {
        io::Field share = required_key("share", "of the population", "0.6");
        share.at_least = 0.0;
        share.at_most = 1.0;
        f.number(share, group.share);
        f.any(required_key("admixed", "groups with their share of a genome", "{ EUR = 1 }"),
              "shares by group",
              [&](const io::TomlView& given) {
                  group.ancestors = read_probabilities(given, "shares of a genome", diagnostics);
              });
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
            group = read_admixed(view, diagnostics);
        } else if (const auto share = view.number(); share && *share >= 0.0 && *share <= 1.0) {
            group = {*share, {{name, 1.0}}};
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
        }
    }
    if (population.groups.size() > 255)
        diagnostics.add(ancestry.span(), "at most 255 groups are understood");
    if (diagnostics.size() != n_before) {
        population.groups.clear(); // told already: no second message about genes
        population.group_proportions.clear();
        population.group_ancestors.clear();
    }
}

} // namespace gemel::pkpd
