#include <gemel/pkpd/gene_table.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gemel::pkpd {

namespace {

bool is_base(const std::string& text) {
    return text.size() == 1 && std::string("ACGT").find(text[0]) != std::string::npos;
}

std::vector<std::string> allele_words(const GeneTable& gene) {
    std::vector<std::string> words;
    for (const Allele& allele : gene.alleles) {
        words.push_back(allele.name);
        words.insert(words.end(), allele.aliases.begin(), allele.aliases.end());
    }
    return words;
}

/// A bare base does not say its strand; an alias "rs9923231 T" does.
std::string explain_unknown_allele(const GeneTable& gene, const std::string& text) {
    const std::vector<std::string> words = allele_words(gene);
    if (is_base(text))
        for (const std::string& word : words)
            if (word.ends_with(" " + text))
                return fmt::format("a bare '{}' does not say its strand; write '{}'", text, word);
    return fmt::format("'{}' is no allele of {}; {}", text, gene.name, sim::suggest(text, words));
}

/// "A/B" → A, B. In "rs9923231 C/T" the variant's name holds for both.
std::optional<std::pair<std::string, std::string>> split_pair(const GeneTable& gene,
                                                              const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) {
        if (text.size() == 2) return std::pair{text.substr(0, 1), text.substr(1)};
        return std::nullopt;
    }
    std::pair pair{text.substr(0, slash), text.substr(slash + 1)};
    const auto space = pair.first.rfind(' ');
    if (space != std::string::npos && is_base(pair.second)) {
        const std::string named = pair.first.substr(0, space + 1) + pair.second;
        if (gene.find_allele(named) >= 0) pair.second = named;
    }
    return pair;
}

/// "A/B/C": all variants a person carries, each as often as it is carried.
std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> words;
    std::size_t from = 0;
    for (auto slash = text.find('/'); slash != std::string::npos; slash = text.find('/', from)) {
        words.push_back(text.substr(from, slash - from));
        from = slash + 1;
    }
    words.push_back(text.substr(from));
    return words;
}

/// At least two words, or none where the text is no genotype.
std::vector<std::string> split_genotype(const GeneTable& gene, const std::string& text) {
    if (gene.is_per_variant) {
        const std::vector<std::string> words = split_list(text);
        return words.size() < 2 ? std::vector<std::string>() : words;
    }
    const auto pair = split_pair(gene, text);
    if (!pair) return {};
    return {pair->first, pair->second};
}

/// An activity that is not known may be the lowest, but not below 0.
bool is_less_active(const Allele& a, const Allele& b) {
    constexpr double just_above_none = std::numeric_limits<double>::denorm_min();
    return a.activity.value_or(just_above_none) < b.activity.value_or(just_above_none);
}

} // namespace

int GeneTable::find_allele(const std::string& text) const {
    for (std::size_t i = 0; i < alleles.size(); ++i)
        if (alleles[i].name == text || std::ranges::count(alleles[i].aliases, text) > 0)
            return static_cast<int>(i);
    return -1;
}

int GeneTable::hemizygous_allele() const {
    return hemizygous.empty() ? -1 : find_allele(hemizygous);
}

std::optional<Diplotype> GeneTable::parse_diplotype(const std::string& written,
                                                    std::string* why) const {
    const std::vector<std::string> words = split_genotype(*this, written);
    if (words.empty()) {
        if (why)
            *why = fmt::format("'{}' is no diplotype; write two alleles as '{}'",
                               written,
                               text({0, static_cast<int>(alleles.size()) - 1}));
        return std::nullopt;
    }
    std::vector<int> carried;
    for (const std::string& word : words) {
        carried.push_back(find_allele(word));
        if (carried.back() >= 0) continue;
        if (why) *why = explain_unknown_allele(*this, word);
        return std::nullopt;
    }
    std::ranges::sort(carried);
    if (carried.size() > 2)
        std::ranges::stable_sort(carried, [&](int a, int b) {
            return is_less_active(alleles[static_cast<std::size_t>(a)],
                                  alleles[static_cast<std::size_t>(b)]);
        });
    const Diplotype diplotype{std::min(carried[0], carried[1]), std::max(carried[0], carried[1])};
    const int missing = hemizygous_allele();
    if (missing < 0 || diplotype != Diplotype{missing, missing}) return diplotype;
    if (why)
        *why = fmt::format("'{}' is no copy of {}: one allele must stand beside it, as '{}/{}'",
                           hemizygous,
                           name,
                           reference,
                           hemizygous);
    return std::nullopt;
}

std::string GeneTable::text(const Diplotype& diplotype) const {
    return alleles[static_cast<std::size_t>(diplotype.first)].name + "/" +
           alleles[static_cast<std::size_t>(diplotype.second)].name;
}

std::optional<double> GeneTable::score(const Diplotype& diplotype) const {
    const auto& a = alleles[static_cast<std::size_t>(diplotype.first)].activity;
    const auto& b = alleles[static_cast<std::size_t>(diplotype.second)].activity;
    if (!has_score || !a || !b) return std::nullopt;
    return *a + *b;
}

bool GeneTable::is_score_lower_bound(const Diplotype& diplotype) const {
    return score(diplotype) &&
           (alleles[static_cast<std::size_t>(diplotype.first)].is_activity_lower_bound ||
            alleles[static_cast<std::size_t>(diplotype.second)].is_activity_lower_bound);
}

std::string GeneTable::score_text(const Diplotype& diplotype) const {
    const auto sum = score(diplotype);
    if (!sum) return "not known";
    return fmt::format("{}{:g}", is_score_lower_bound(diplotype) ? ">=" : "", *sum);
}

int GeneTable::phenotype(const Diplotype& diplotype) const {
    if (has_score) {
        const auto sum = score(diplotype);
        const bool is_open = is_score_lower_bound(diplotype);
        for (const ScoreRule& rule : score_rules)
            if (sum && *sum >= rule.from - score_tolerance && *sum <= rule.to + score_tolerance &&
                (!is_open || std::isinf(rule.to)))
                return rule.phenotype;
        return otherwise;
    }
    const std::string& a = alleles[static_cast<std::size_t>(diplotype.first)].function;
    const std::string& b = alleles[static_cast<std::size_t>(diplotype.second)].function;
    for (const PairRule& rule : pair_rules)
        if ((rule.first == a && rule.second == b) || (rule.first == b && rule.second == a))
            return rule.phenotype;
    return otherwise;
}

int GeneTable::find_phenotype(const std::string& text) const {
    for (std::size_t i = 0; i < phenotypes.size(); ++i)
        if (phenotypes[i].name == text || phenotypes[i].label == text) return static_cast<int>(i);
    return -1;
}

Diplotype GeneTable::reference_diplotype() const {
    const int allele = find_allele(reference);
    return {allele, allele};
}

const AlleleFrequencies* GeneTable::group(const std::string& code) const {
    for (const AlleleFrequencies& row : frequencies)
        if (row.group == code) return &row;
    return nullptr;
}

} // namespace gemel::pkpd
