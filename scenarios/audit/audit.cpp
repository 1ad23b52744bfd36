#include <gemel/pkpd/frequency_posterior.hpp>
#include <gemel/scenarios/audit.hpp>
#include <gemel/sim/expression.hpp>
#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace gemel::scenarios {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();
constexpr double over_exposed = 1.25, under_exposed = 0.8; // the limits of bioequivalence
constexpr std::size_t most_named = 3;

bool says(const std::string& function, const std::string& words) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    return std::search(function.begin(), function.end(), words.begin(), words.end(), same) !=
           function.end();
}

bool is_reduced(const pkpd::Allele& allele) {
    return says(allele.function, "decreased function") || says(allele.function, "no function");
}

bool is_uncertain(const pkpd::Allele& allele) {
    return says(allele.function, "uncertain function") || says(allele.function, "unknown function");
}

/// Reported as an allele that does something else.
bool is_missed(const pkpd::PanelGene& gene, std::size_t a) {
    const pkpd::Allele& there = gene.table->alleles[a];
    const pkpd::Allele& reported = gene.table->alleles[static_cast<std::size_t>(gene.reads[a])];
    return there.function != reported.function || there.activity != reported.activity;
}

/// The figures of a group that follow from frequencies alone, in one order.
enum Figure : std::size_t {
    reduced,
    missed,
    share,
    carriers,
    misread,
    uncertain,
    over,
    under,
    average,
    unknown,
    n_figures
};
using Figures = std::array<double, n_figures>;

/// A panel's view of a gene against what is there: what every pair of alleles becomes.
class View {
public:
    View(const pkpd::PanelGene& gene, const pkpd::GenotypeMap* map)
        : gene_(gene),
          map_(map),
          n_(gene.table->alleles.size()),
          is_misread_(n_ * n_, 0),
          log_ratio_(n_ * n_, 0.0) {
        for (int a = 0; a < static_cast<int>(n_); ++a)
            for (int b = a; b < static_cast<int>(n_); ++b)
                look_at({a, b});
    }

    /// Hardy–Weinberg.
    /// @param p  frequencies, [n_alleles]
    Figures figures(const std::vector<double>& p) const {
        Figures f{};
        for (std::size_t a = 0; a < n_; ++a)
            add_allele(a, p[a], f);
        f[share] = f[reduced] > 0.0 ? f[missed] / f[reduced] : not_known;
        f[carriers] = 1.0 - (1.0 - f[missed]) * (1.0 - f[missed]);
        double affected = 0.0, sum_of_logs = 0.0;
        for (std::size_t a = 0; a < n_; ++a) {
            if (!(p[a] > 0.0)) continue;
            for (std::size_t b = a; b < n_; ++b)
                if (p[b] > 0.0)
                    add_pair(
                        a * n_ + b, (a == b ? 1.0 : 2.0) * p[a] * p[b], f, affected, sum_of_logs);
        }
        f[average] = affected > 0.0
                         ? sim::apply(sim::Op::exponential, sum_of_logs / affected, 0.0, 0.0)
                         : not_known;
        return f;
    }

private:
    void add_allele(std::size_t a, double p, Figures& f) const {
        const pkpd::Allele& allele = gene_.table->alleles[a];
        if (is_uncertain(allele)) f[uncertain] += p;
        if (!is_reduced(allele)) return;
        f[reduced] += p;
        if (is_missed(gene_, a)) f[missed] += p;
    }

    void add_pair(std::size_t pair, double p, Figures& f, double& affected, double& logs) const {
        if (is_misread_[pair] != 0) f[misread] += p;
        if (map_ == nullptr) return;
        const double ratio = log_ratio_[pair];
        if (std::isnan(ratio)) f[unknown] += p;
        if (ratio > log_over_) f[over] += p;
        if (ratio < log_under_) f[under] += p;
        if (std::isnan(ratio) || ratio == 0.0) return;
        affected += p;
        logs += p * ratio;
    }

    void look_at(const pkpd::Diplotype& there) {
        const int absent = gene_.table->hemizygous_allele();
        if (there == pkpd::Diplotype{absent, absent}) return;
        const std::size_t pair =
            static_cast<std::size_t>(there.first) * n_ + static_cast<std::size_t>(there.second);
        const pkpd::Diplotype reported = gene_.read(there);
        is_misread_[pair] = gene_.table->phenotype(there) != gene_.table->phenotype(reported);
        if (map_ != nullptr && reported != there)
            log_ratio_[pair] = log_of(reported) - log_of(there);
    }

    double log_of(const pkpd::Diplotype& diplotype) const {
        const auto value =
            pkpd::map_value(*map_, *gene_.table, diplotype, gene_.table->score(diplotype), nullptr);
        return value && *value > 0.0 ? sim::apply(sim::Op::logarithm, *value, 0.0, 0.0) : not_known;
    }

    const pkpd::PanelGene& gene_;
    const pkpd::GenotypeMap* map_;
    std::size_t n_;
    std::vector<char> is_misread_;  ///< [n × n], first ≤ second
    std::vector<double> log_ratio_; ///< likewise, of exposure; NaN: the map has no value
    const double log_over_ = sim::apply(sim::Op::logarithm, over_exposed, 0.0, 0.0);
    const double log_under_ = sim::apply(sim::Op::logarithm, under_exposed, 0.0, 0.0);
};

/// Between order statistics, (n − 1)·p counted from the lowest; NaN if a number is missing.
double quantile(const std::vector<double>& sorted, double p) {
    if (sorted.empty() || std::isnan(sorted.back())) return not_known;
    const double at = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// Audits one gene of a panel.
class GeneAuditor {
public:
    GeneAuditor(const pkpd::PanelGene& gene,
                const pkpd::GenotypeMap* map,
                const AuditSettings& settings)
        : gene_(gene),
          table_(*gene.table),
          settings_(settings),
          view_(gene, map) {}

    GroupAudit group(const std::string& code) const {
        GroupAudit audit;
        audit.group = code;
        const pkpd::AlleleFrequencies* frequencies = table_.group(code);
        if (frequencies == nullptr) return audit;
        audit.has_frequencies = true;
        count_subjects(*frequencies, audit);
        name_missed(*frequencies, audit);
        set_figures(view_.figures(frequencies->frequencies), draws(*frequencies), audit);
        return audit;
    }

private:
    void count_subjects(const pkpd::AlleleFrequencies& frequencies, GroupAudit& audit) const {
        for (std::size_t a = 0; a < table_.alleles.size(); ++a) {
            const std::int64_t n = frequencies.n_subjects[a];
            if (n == 0 || table_.alleles[a].name == table_.reference) continue;
            audit.fewest_subjects =
                audit.fewest_subjects == 0 ? n : std::min(audit.fewest_subjects, n);
            audit.most_subjects = std::max(audit.most_subjects, n);
        }
    }

    void name_missed(const pkpd::AlleleFrequencies& frequencies, GroupAudit& audit) const {
        for (std::size_t a = 0; a < table_.alleles.size(); ++a)
            if (is_reduced(table_.alleles[a]) && is_missed(gene_, a) &&
                frequencies.frequencies[a] > 0.0)
                audit.main_missed.push_back({table_.alleles[a].name,
                                             frequencies.frequencies[a],
                                             frequencies.n_subjects[a]});
        std::ranges::stable_sort(
            audit.main_missed, std::ranges::greater{}, &MissedAllele::frequency);
        if (audit.main_missed.size() > most_named) audit.main_missed.resize(most_named);
    }

    /// Figures of drawn frequencies, [n_figures][n_draws]; none where counts are not known.
    std::vector<std::vector<double>> draws(const pkpd::AlleleFrequencies& frequencies) const {
        const pkpd::CountedFrequencies counts = pkpd::counted(table_, frequencies);
        std::vector<std::vector<double>> drawn(n_figures);
        if (!pkpd::not_counted(counts).empty() || settings_.n_draws == 0) return drawn;
        const pkpd::FrequencyPosterior posterior = pkpd::frequency_posterior(counts);
        for (std::vector<double>& column : drawn)
            column.resize(settings_.n_draws);
        sim::parallel_for(settings_.n_draws, settings_.n_threads, [&](std::size_t r, int) {
            const Figures f =
                view_.figures(posterior.draw(settings_.seed, static_cast<std::uint32_t>(r)));
            for (std::size_t i = 0; i < n_figures; ++i)
                drawn[i][r] = f[i];
        });
        for (std::vector<double>& column : drawn)
            std::ranges::sort(column, [](double a, double b) { // NaN last
                return std::isnan(b) ? !std::isnan(a) : a < b;
            });
        return drawn;
    }

    void set_figures(const Figures& values,
                     const std::vector<std::vector<double>>& drawn,
                     GroupAudit& audit) const {
        AuditFigure* const places[n_figures] = {&audit.reduced,
                                                &audit.missed,
                                                &audit.share,
                                                &audit.carriers,
                                                &audit.misread,
                                                &audit.uncertain,
                                                &audit.exposure.over,
                                                &audit.exposure.under,
                                                &audit.exposure.average,
                                                &audit.exposure.unknown};
        const double tail = 0.5 * (1.0 - settings_.level);
        for (std::size_t i = 0; i < n_figures; ++i)
            *places[i] = {values[i], quantile(drawn[i], tail), quantile(drawn[i], 1.0 - tail)};
    }

    const pkpd::PanelGene& gene_;
    const pkpd::GeneTable& table_;
    const AuditSettings& settings_;
    View view_;
};

const pkpd::GenotypeMap* find_map(const AuditSettings& settings) {
    if (settings.model == nullptr) return nullptr;
    for (const pkpd::GenotypeMap& map : settings.model->maps)
        if (map.name == settings.map) return &map;
    throw std::invalid_argument("audit: the model " + settings.model->id + " has no map '" +
                                settings.map + "'");
}

} // namespace

AuditReport audit(const std::vector<std::shared_ptr<const pkpd::Panel>>& panels,
                  const std::vector<std::string>& groups,
                  const AuditSettings& settings) {
    if (!(settings.level > 0.0 && settings.level < 1.0))
        throw std::invalid_argument("audit: the level " + std::to_string(settings.level) +
                                    " is not between 0 and 1");
    const pkpd::GenotypeMap* const map = find_map(settings);
    AuditReport report{settings, {}};
    for (const auto& panel : panels)
        for (const pkpd::PanelGene& gene : panel->genes) {
            const bool has_map = map != nullptr && map->gene == gene.gene;
            const GeneAuditor auditor(gene, has_map ? map : nullptr, settings);
            GeneAudit audited{panel->id,
                              panel->name,
                              panel->source,
                              gene.gene,
                              gene.tested,
                              gene.table->source + ", " + gene.table->date,
                              has_map,
                              {}};
            for (const std::string& group : groups)
                audited.groups.push_back(auditor.group(group));
            report.genes.push_back(std::move(audited));
        }
    return report;
}

} // namespace gemel::scenarios
