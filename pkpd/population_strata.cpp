#include "cohort_rows.hpp"
#include "correlation_reading.hpp"
#include "covariate_law.hpp"
#include "covariate_reading.hpp"
#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace gemel::pkpd {
namespace {

/// Calls visit(part) for what a layer says of everybody, then of each stratum.
template <class Visit>
void for_each_part(const LayerWords& layer, Visit visit) {
    visit(layer.everybody);
    for (const StratumWords& stratum : layer.strata)
        visit(stratum.part);
}

/// Calls visit(name, entry) for the covariates a layer speaks of.
template <class Visit>
void for_each_entry(const LayerWords& layer, Visit visit) {
    for_each_part(layer, [&](const PartWords& part) {
        if (!part.covariates.is_set() || part.covariates.kind() != io::TomlKind::table) return;
        for (const auto& [name, entry] : part.covariates.members())
            visit(name, entry);
    });
}

/// Reads who the patients of every stratum are.
class StrataReader {
public:
    StrataReader(std::span<const LayerWords> layers,
                 const io::Library& library,
                 Population& population,
                 sim::DiagnosticList& diagnostics)
        : layers_(layers),
          library_(library),
          population_(population),
          diagnostics_(diagnostics),
          units_(layers.size()) {}

    /// A covariate that is declared wrongly would be told all over wherever it stands: nothing is
    /// read further then.
    void read() {
        const std::size_t n_before = diagnostics_.size();
        population_.covariates = population_.model->covariates;
        for (const LayerWords& layer : layers_)
            check_tables(layer);
        for (std::size_t i = 0; i < layers_.size(); ++i)
            for_each_entry(layers_[i], [&](const std::string& name, const io::TomlView& entry) {
                declare(name, entry, units_[i]);
            });
        if (diagnostics_.size() != n_before) return;
        names_.emplace(population_.covariates);
        tell_unknown();
        load_derived();
        read_strata();
        read_ancestries();
    }

private:
    /// A word on covariates, and the units its file declares.
    struct Source {
        const PartWords* part = nullptr;
        const DeclaredUnits* units = nullptr;
        const LayerWords* layer = nullptr;
    };

    void check_tables(const LayerWords& layer);
    void declare(const std::string& name, const io::TomlView& entry, DeclaredUnits& units);
    void declare_unit(const std::string& name,
                      const io::TomlView& unit,
                      Covariate& covariate,
                      bool is_new,
                      DeclaredUnits& units);
    void declare_categories(const io::TomlView& list, Covariate& covariate, bool is_new);
    void tell_unknown();
    void tell_if_unknown(const std::string& name, const sim::SourceSpan& place);
    void read_strata();
    void read_stratum(const StratumWords* words, std::vector<Source> sources);
    std::vector<Source> common_sources(std::size_t first_layer) const;
    void check_shares(std::size_t layer);
    bool is_in_data(std::size_t covariate) const;
    void put_in_order(Stratum& stratum, const sim::SourceSpan& place);
    void check_curves(const Stratum& stratum, const std::vector<io::TomlView>& entries);
    void read_ancestries();
    void add_groups(const Population& read, const io::TomlView& place, Stratum& stratum);
    void load_derived();
    void read_covariate(std::size_t covariate,
                        std::span<const Source> sources,
                        const RowsWords* rows,
                        const sim::SourceSpan& place,
                        Stratum& stratum,
                        io::TomlView& entry);
    void read_rows_of(const Source& source, Stratum& stratum);

    std::span<const LayerWords> layers_;
    const io::Library& library_;
    Population& population_;
    sim::DiagnosticList& diagnostics_;
    std::vector<DeclaredUnits> units_;                              ///< [layers]
    std::vector<std::shared_ptr<const DerivedCovariates>> derived_; ///< if any is asked for
    std::map<const RowsWords*, std::shared_ptr<const CohortRows>> rows_;
    std::optional<CovariateNames> names_;
    std::vector<io::TomlView> ancestry_of_; ///< [strata]
};

void StrataReader::check_tables(const LayerWords& layer) {
    const auto check = [&](const PartWords& part) {
        if (part.covariates.is_set() && part.covariates.kind() != io::TomlKind::table)
            diagnostics_.add(part.covariates.span(),
                             "`covariates` is a table, one entry per covariate");
    };
    check(layer.everybody);
    for (const StratumWords& stratum : layer.strata)
        check(stratum.part);
}

/// A covariate that the model does not know is the population's own if a file declares its unit or
/// its categories: a misspelt name declares nothing.
void StrataReader::declare(const std::string& name,
                           const io::TomlView& entry,
                           DeclaredUnits& units) {
    const bool is_table = entry.kind() == io::TomlKind::table;
    const io::TomlView unit = is_table ? entry["unit"] : io::TomlView();
    const io::TomlView categories = is_table ? entry["categories"] : io::TomlView();
    if (!unit.is_set() && !categories.is_set()) return;
    auto& known = population_.covariates;
    auto found = std::find_if(
        known.begin(), known.end(), [&](const Covariate& c) { return c.name == name; });
    const bool is_new = found == known.end();
    if (is_new) {
        Covariate covariate;
        covariate.name = name;
        covariate.span = entry.key_span();
        if (const auto about = entry["about"].text()) covariate.about = *about;
        known.push_back(covariate);
        found = known.end() - 1;
    }
    if (unit.is_set() && categories.is_set())
        diagnostics_.add(entry.span(), fmt::format("{} has a unit or categories, not both", name));
    else if (unit.is_set())
        declare_unit(name, unit, *found, is_new, units);
    else
        declare_categories(categories, *found, is_new);
}

void StrataReader::declare_unit(const std::string& name,
                                const io::TomlView& view,
                                Covariate& covariate,
                                bool is_new,
                                DeclaredUnits& units) {
    std::string why;
    const auto unit = view.text() ? sim::parse_unit(*view.text(), &why) : std::nullopt;
    if (!unit) {
        diagnostics_.add(
            view.span(),
            fmt::format("the unit of {} is not understood{}", name, why.empty() ? "" : ": " + why),
            "as in unit = \"kg\"");
        return;
    }
    if (is_new) covariate.unit = *unit;
    if (!covariate.categories.empty() || !(covariate.unit.dimension == unit->dimension)) {
        diagnostics_.add(view.span(),
                         fmt::format("{} is in \"{}\" here and {} elsewhere",
                                     name,
                                     unit->text,
                                     covariate.categories.empty()
                                         ? fmt::format("in \"{}\"", covariate.unit.text)
                                         : "has categories"));
        return;
    }
    const auto [declared, is_first] = units.emplace(name, *unit);
    if (!is_first && declared->second.text != unit->text)
        diagnostics_.add(view.span(),
                         fmt::format("{} is in \"{}\" here and in \"{}\" above",
                                     name,
                                     unit->text,
                                     declared->second.text),
                         "declare the unit of a covariate once");
}

void StrataReader::declare_categories(const io::TomlView& list, Covariate& covariate, bool is_new) {
    std::vector<std::string> categories;
    for (const io::TomlView& element : list.elements())
        if (const auto text = element.text();
            text && std::find(categories.begin(), categories.end(), *text) == categories.end())
            categories.push_back(*text);
    if (categories.size() < 2 || categories.size() > 255 ||
        categories.size() != list.elements().size()) {
        diagnostics_.add(list.span(),
                         "a list of two or more different categories is expected",
                         "as in categories = [\"female\", \"male\"]");
        return;
    }
    if (is_new) covariate.categories = categories;
    for (const std::string& category : categories)
        if (std::find(covariate.categories.begin(), covariate.categories.end(), category) ==
            covariate.categories.end())
            diagnostics_.add(list.span(),
                             fmt::format("{} has no category '{}'", covariate.name, category),
                             covariate.categories.empty()
                                 ? fmt::format("it is a number in {}", covariate.unit.text)
                                 : sim::suggest(category, covariate.categories));
}

void StrataReader::tell_unknown() {
    for (const LayerWords& layer : layers_) {
        for_each_entry(layer, [&](const std::string& name, const io::TomlView& entry) {
            tell_if_unknown(name, entry.key_span());
        });
        for_each_part(layer, [&](const PartWords& part) {
            if (!part.rows) return;
            for (const RowsColumn& column : part.rows->columns)
                tell_if_unknown(column.covariate, column.span);
        });
    }
}

void StrataReader::tell_if_unknown(const std::string& name, const sim::SourceSpan& place) {
    if (names_->find(name) >= 0) return;
    const std::vector<std::string> known = names_->names();
    const std::string help = sim::suggest(name, known);
    diagnostics_.add(
        place,
        fmt::format("the model {} has no covariate '{}'", population_.model->id, name),
        sim::nearest_name(name, known).empty()
            ? fmt::format("{}; a covariate of the population's own declares its unit or its "
                          "categories in `covariates`",
                          help)
            : help);
}

/// What everybody's word is, from the given layer on.
std::vector<StrataReader::Source> StrataReader::common_sources(std::size_t first_layer) const {
    std::vector<Source> sources;
    for (std::size_t i = first_layer; i < layers_.size(); ++i)
        sources.push_back({&layers_[i].everybody, &units_[i], &layers_[i]});
    return sources;
}

/// Strata are those of the first file that has any. A file's stratum goes before what the same file
/// says of everybody, and both before the file it is like.
void StrataReader::read_strata() {
    std::size_t layer = 0;
    while (layer < layers_.size() && layers_[layer].strata.empty())
        ++layer;
    if (layer == layers_.size()) return read_stratum(nullptr, common_sources(0));
    check_shares(layer);
    population_.strata.reserve(layers_[layer].strata.size());
    for (const StratumWords& words : layers_[layer].strata) {
        std::vector<Source> sources = common_sources(0);
        sources.insert(sources.begin() + static_cast<std::ptrdiff_t>(layer),
                       {&words.part, &units_[layer], &layers_[layer]});
        read_stratum(&words, std::move(sources));
    }
}

void StrataReader::check_shares(std::size_t layer) {
    const auto& strata = layers_[layer].strata;
    double sum = 0.0;
    for (const StratumWords& stratum : strata)
        sum += stratum.share;
    check_sum_of_shares(sum, "shares of the strata", strata.front().span, diagnostics_);
    if (strata.size() > 255)
        diagnostics_.add(strata.front().span, "at most 255 strata are understood");
}

void StrataReader::read_stratum(const StratumWords* words, std::vector<Source> sources) {
    const std::size_t n_before = diagnostics_.size();
    const sim::SourceSpan place = words != nullptr ? words->span : layers_.front().span;
    Stratum& stratum = population_.strata.emplace_back();
    if (words != nullptr) stratum.name = words->name;
    if (words != nullptr) stratum.share = words->share;
    stratum.laws.resize(population_.covariates.size());
    std::vector<io::TomlView> entries(population_.covariates.size());
    const auto with_rows = std::find_if(
        sources.begin(), sources.end(), [](const Source& s) { return s.part->rows.has_value(); });
    const RowsWords* const rows = with_rows == sources.end() ? nullptr : &*with_rows->part->rows;
    if (rows != nullptr) read_rows_of(*with_rows, stratum);
    for (std::size_t c = 0; c < population_.covariates.size(); ++c)
        read_covariate(c, sources, rows, place, stratum, entries[c]);
    const auto ancestry = std::find_if(
        sources.begin(), sources.end(), [](const Source& s) { return s.part->ancestry.is_set(); });
    ancestry_of_.push_back(ancestry == sources.end() ? io::TomlView() : ancestry->part->ancestry);
    if (diagnostics_.size() != n_before) return;
    put_in_order(stratum, place);
    check_curves(stratum, entries);
    const auto correlated = std::find_if(
        sources.begin(), sources.end(), [](const Source& s) { return s.part->has_correlations; });
    if (correlated != sources.end())
        for (const CorrelationWords& correlation : correlated->part->correlations)
            read_correlation(correlation, *names_, stratum, diagnostics_);
}

/// The first word on a covariate holds: a law, or a column of the rows.
void StrataReader::read_covariate(std::size_t c,
                                  std::span<const Source> sources,
                                  const RowsWords* rows,
                                  const sim::SourceSpan& place,
                                  Stratum& stratum,
                                  io::TomlView& entry) {
    const Covariate& covariate = population_.covariates[c];
    for (const Source& source : sources) {
        const io::TomlView given = source.part->covariates.is_set()
                                       ? source.part->covariates[covariate.name]
                                       : io::TomlView();
        const bool is_in_rows =
            source.part->rows && &*source.part->rows == rows && rows->gives(covariate.name);
        if (is_in_rows && has_law(given)) {
            diagnostics_.add(given.span(),
                             fmt::format("{} stands in `covariates` and in `rows`", covariate.name),
                             "keep one of the two");
            return;
        }
        if (is_in_rows) {
            stratum.laws[c].law = CovariateDistribution::Law::row;
            if (stratum.rows != nullptr) {
                const auto& columns = stratum.rows->covariates;
                stratum.laws[c].column = static_cast<std::size_t>(
                    std::find(columns.begin(), columns.end(), c) - columns.begin());
            }
            return;
        }
        if (!has_law(given)) continue;
        if (is_in_data(c)) {
            diagnostics_.add(
                given.span(),
                fmt::format("{} stands in `covariates` and in the data file", covariate.name),
                "keep one of the two: the file's column may be named otherwise");
            return;
        }
        entry = given;
        const LawContext context{*names_, *source.units, derived_};
        if (auto law = read_law(entry, c, context, diagnostics_)) stratum.laws[c] = std::move(*law);
        return;
    }
    if (is_in_data(c)) {
        stratum.laws[c].law = CovariateDistribution::Law::data;
        return;
    }
    if (covariate.proportions.empty())
        return tell_missing_covariate(population_, covariate, stratum.name, place, diagnostics_);
    stratum.laws[c].law = CovariateDistribution::Law::categorical; // a mixture, as its model says
    stratum.laws[c].probabilities = covariate.proportions;
    stratum.laws[c].is_of_mixture = true;
}

bool StrataReader::is_in_data(std::size_t covariate) const {
    if (population_.data == nullptr) return false;
    const auto& given = population_.data->covariates;
    return std::find(given.begin(), given.end(), covariate) != given.end();
}

/// A table is read once, for however many strata.
void StrataReader::read_rows_of(const Source& source, Stratum& stratum) {
    const RowsWords& words = *source.part->rows;
    if (population_.data != nullptr && words.use == RowsWords::Use::in_order)
        diagnostics_.add(words.span,
                         "the subjects of a data file are not patients in the order of a table",
                         "give their covariates in the data file");
    const auto [found, is_new] = rows_.emplace(&words, nullptr);
    if (is_new)
        found->second =
            read_rows(words, *names_, source.layer->file, population_.files, diagnostics_);
    stratum.rows = found->second;
}

/// The library's formulas, if some covariate asks for one.
void StrataReader::load_derived() {
    bool is_asked = false;
    for (const LayerWords& layer : layers_)
        for_each_entry(layer, [&](const std::string&, const io::TomlView& entry) {
            is_asked |= entry.kind() == io::TomlKind::table && entry["derived"].is_set();
        });
    if (!is_asked) return;
    for (const std::string& name : library_.names("covariates")) {
        const std::filesystem::path path = library_.find("covariates", name);
        const auto file = load_derived_covariates(path, diagnostics_);
        if (file == nullptr) continue;
        derived_.push_back(file);
        population_.files.push_back({"covariates_" + name + "_toml", path, file->file});
    }
}

/// Depth first; a covariate met again while it is being worked out goes in a circle.
void StrataReader::put_in_order(Stratum& stratum, const sim::SourceSpan& place) {
    enum class Progress { untouched, begun, done };
    std::vector<Progress> progress(stratum.laws.size(), Progress::untouched);
    bool is_told = false;
    const std::function<void(std::size_t)> visit = [&](std::size_t c) {
        if (progress[c] == Progress::done) return;
        if (progress[c] == Progress::begun) {
            if (!is_told)
                diagnostics_.add(place,
                                 fmt::format("the covariate {} depends on itself{}",
                                             population_.covariates[c].name,
                                             stratum.name.empty()
                                                 ? ""
                                                 : fmt::format(" in the stratum {}", stratum.name)),
                                 "an expression may use covariates that do not use it");
            is_told = true;
            return;
        }
        progress[c] = Progress::begun;
        for (const auto& dependence : stratum.laws[c].dependences)
            for (std::size_t needed : dependence.function.needs())
                visit(needed);
        progress[c] = Progress::done;
        stratum.order.push_back(c);
    };
    for (std::size_t c = 0; c < stratum.laws.size(); ++c)
        visit(c);
}

/// A curve is known between its ends; the covariate it goes along must not leave them.
void StrataReader::check_curves(const Stratum& stratum, const std::vector<io::TomlView>& entries) {
    for (std::size_t c = 0; c < stratum.laws.size(); ++c)
        for (const auto& dependence : stratum.laws[c].dependences) {
            const auto domain = dependence.function.domain();
            if (!domain) continue;
            const CovariateDistribution& along = stratum.laws[domain->covariate];
            const auto [lower, upper] = support(along, stratum.rows.get());
            if (lower >= domain->lower && upper <= domain->upper) continue;
            const Covariate& covariate = population_.covariates[domain->covariate];
            diagnostics_.add(entries[c].span(),
                             fmt::format("this curve goes from {} = {:g} to {:g} {}, and the "
                                         "population has patients beyond",
                                         covariate.name,
                                         domain->lower,
                                         domain->upper,
                                         covariate.unit.text),
                             fmt::format("add points, or restrict {} by `within`", covariate.name));
        }
}

/// Groups in the order in which the strata name them.
void StrataReader::read_ancestries() {
    std::size_t n_given = 0;
    for (std::size_t k = 0; k < population_.strata.size(); ++k) {
        if (!ancestry_of_[k].is_set()) continue;
        ++n_given;
        Population read;
        read.covariates = population_.covariates;
        read_ancestry(ancestry_of_[k], read, diagnostics_);
        add_groups(read, ancestry_of_[k], population_.strata[k]);
    }
    if (n_given > 0 && n_given < population_.strata.size())
        diagnostics_.add(layers_.front().span,
                         "some strata have an ancestry and others have none",
                         "give one to each, or one `ancestry` to everybody");
    if (population_.groups.size() > 255)
        diagnostics_.add(layers_.front().span, "at most 255 groups are understood");
    population_.group_proportions.assign(population_.groups.size(), 0.0);
    for (Stratum& stratum : population_.strata) {
        stratum.group_proportions.resize(population_.groups.size(), 0.0);
        for (std::size_t g = 0; g < population_.groups.size(); ++g)
            population_.group_proportions[g] += stratum.share * stratum.group_proportions[g];
    }
}

void StrataReader::add_groups(const Population& read, const io::TomlView& place, Stratum& stratum) {
    for (std::size_t i = 0; i < read.groups.size(); ++i) {
        const auto found =
            std::find(population_.groups.begin(), population_.groups.end(), read.groups[i]);
        const auto g = static_cast<std::size_t>(found - population_.groups.begin());
        if (found == population_.groups.end()) {
            population_.groups.push_back(read.groups[i]);
            population_.group_ancestors.push_back(read.group_ancestors[i]);
            population_.group_shares.push_back(read.group_shares[i]);
        } else if (population_.group_ancestors[g] != read.group_ancestors[i] ||
                   population_.group_shares[g] != read.group_shares[i]) {
            diagnostics_.add(
                place.span(),
                fmt::format("the group {} has other ancestors in another stratum", read.groups[i]),
                "give it another name here");
        }
        stratum.group_proportions.resize(
            std::max(stratum.group_proportions.size(), population_.groups.size()), 0.0);
        stratum.group_proportions[g] = read.group_proportions[i];
        if (!read.group_shares[i].covariates.empty())
            check_personal_shares(population_, stratum, g, place.span(), diagnostics_);
    }
}

std::string example_law(const Covariate& covariate) {
    if (!covariate.categories.empty())
        return fmt::format("{} = \"{}\"", covariate.name, covariate.categories.front());
    return fmt::format("{} = {{ lognormal = {{ median = \"{} {}\", sd = 0.2 }} }}",
                       covariate.name,
                       covariate.reference.value_or(1.0),
                       covariate.unit.text);
}

void tell_missing_in_data(const Population& population,
                          const Covariate& covariate,
                          sim::DiagnosticList& diagnostics) {
    const std::string unit =
        covariate.categories.empty() ? fmt::format(", unit = \"{}\"", covariate.unit.text) : "";
    diagnostics.add(population.data->header,
                    fmt::format("the model {} needs the covariate {}, which neither this file nor "
                                "the study's [population] gives",
                                population.model->id,
                                covariate.name),
                    fmt::format("if a column holds it, write {} = {{ column = \"…\"{} }} in "
                                "[data.columns]; to draw it, in [population] covariates: {}",
                                covariate.name,
                                unit,
                                example_law(covariate)));
}

} // namespace

void tell_missing_covariate(const Population& population,
                            const Covariate& covariate,
                            const std::string& stratum,
                            const sim::SourceSpan& place,
                            sim::DiagnosticList& diagnostics) {
    const bool is_models = population.model->find_covariate(covariate.name) >= 0;
    if (is_models && population.data != nullptr) {
        tell_missing_in_data(population, covariate, diagnostics);
        return;
    }
    const std::string who =
        stratum.empty() ? "the population" : fmt::format("the stratum {}", stratum);
    diagnostics.add(place,
                    is_models
                        ? fmt::format("the model {} needs the covariate {}, which {} does not give",
                                      population.model->id,
                                      covariate.name,
                                      who)
                        : fmt::format("the covariate {} is declared, but {} gives it no law",
                                      covariate.name,
                                      who),
                    fmt::format("in covariates: {}", example_law(covariate)));
}

void read_strata(std::span<const LayerWords> layers,
                 const io::Library& library,
                 Population& population,
                 sim::DiagnosticList& diagnostics) {
    StrataReader(layers, library, population, diagnostics).read();
}

} // namespace gemel::pkpd
