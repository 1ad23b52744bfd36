#include "nca/nca_input.hpp"
#include "nca/nca_print.hpp"

#include <gemel/scenarios/nca.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <ostream>
#include <set>

namespace gemel::scenarios {

namespace {

using Kind = pkpd::NcaParameter::Kind;

bool is_hdf5(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    char head[4] = {};
    file.read(head, sizeof head);
    return std::string_view(head, 4) == "\x89HDF";
}

/// What tables of profiles show unless told otherwise; all else is in the summary.
bool is_usual(std::string_view name) {
    static constexpr std::array<std::string_view, 19> usual{"cmax",
                                                            "tmax",
                                                            "lambda_z_n_points",
                                                            "half_life",
                                                            "auclast",
                                                            "aucinf_obs",
                                                            "aucpext_obs",
                                                            "cl_obs",
                                                            "cl_f_obs",
                                                            "vz_obs",
                                                            "vz_f_obs",
                                                            "vss_obs",
                                                            "mrt_obs",
                                                            "auctau",
                                                            "cav",
                                                            "ctrough",
                                                            "deg_fluc",
                                                            "cl_ss",
                                                            "cl_f_ss"};
    return std::find(usual.begin(), usual.end(), name) != usual.end();
}

/// Factor and unit of a kind; none where a unit it is made of is not declared.
pkpd::NcaScale scale_of(Kind kind, const ProfileUnits& units) {
    const bool has_time =
        units.time || kind == Kind::concentration || kind == Kind::volume || kind == Kind::per_dose;
    const bool has_concentration = units.concentration || kind == Kind::time || kind == Kind::rate;
    const bool has_dose = units.dose || !(kind == Kind::clearance || kind == Kind::volume ||
                                          kind == Kind::per_dose || kind == Kind::area_per_dose);
    const bool is_bare = kind == Kind::percent || kind == Kind::number;
    if (!is_bare && !(has_time && has_concentration && has_dose)) return {1.0, ""};
    return pkpd::nca_scale(
        kind,
        {units.time.value_or(sim::Unit{}), units.concentration.value_or(sim::Unit{}), units.dose});
}

/// The columns of a request and what fills them.
class NcaTable {
public:
    NcaTable(const NcaRequest& request,
             const NcaSettings& settings,
             const ProfileUnits& units,
             sim::DiagnosticList& diagnostics)
        : superpose_(settings.superpose) {
        check_names(request, diagnostics);
        const std::set<std::string> asked(request.parameters.begin(), request.parameters.end());
        for (const pkpd::NcaParameter& parameter : pkpd::nca_parameters()) {
            if (!asked.empty() && !asked.contains(parameter.name)) continue;
            parameters_.push_back(&parameter);
            add(parameter.name,
                scale_of(parameter.kind, units),
                !asked.empty() || is_usual(parameter.name));
        }
        for (const std::string& name : settings.partial_names)
            add(name, scale_of(Kind::area, units), true);
        for (const std::string& name : settings.threshold_names)
            add(name, scale_of(Kind::time, units), true);
        if (!std::isnan(superpose_))
            for (const char* name : {"superposed_cmax", "superposed_cmin", "superposed_cav"})
                add(name, scale_of(Kind::concentration, units), true);
    }

    const std::vector<NcaColumn>& columns() const { return columns_; }

    std::vector<double> values(const pkpd::NcaResult& result) const {
        std::vector<double> values;
        for (const pkpd::NcaParameter* parameter : parameters_)
            values.push_back(result.*parameter->value);
        values.insert(values.end(), result.partial_aucs.begin(), result.partial_aucs.end());
        values.insert(values.end(), result.times_above.begin(), result.times_above.end());
        if (!std::isnan(superpose_)) put_superposed(result, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] *= factors_[i];
        return values;
    }

private:
    static void check_names(const NcaRequest& request, sim::DiagnosticList& diagnostics) {
        std::vector<std::string> known;
        for (const pkpd::NcaParameter& parameter : pkpd::nca_parameters())
            known.push_back(parameter.name);
        for (const std::string& name : request.parameters)
            if (std::find(known.begin(), known.end(), name) == known.end())
                OptionReader(diagnostics)
                    .mistake("--parameters",
                             name,
                             fmt::format("there is no parameter '{}'", name),
                             sim::suggest(name, known));
    }

    void add(const std::string& name, const pkpd::NcaScale& scale, bool is_chosen) {
        columns_.push_back({name, scale.unit, is_chosen});
        factors_.push_back(scale.factor);
    }

    /// At the steady state of doses every `superpose`, at the sampled times folded into one
    /// interval.
    void put_superposed(const pkpd::NcaResult& result, std::vector<double>& values) const {
        std::vector<double> times{0.0, superpose_};
        for (const double time : result.curve.time)
            times.push_back(std::fmod(time, superpose_));
        const std::vector<double> at = superpose_steady_state(result.curve, superpose_, times);
        const bool is_known = !std::isnan(result.lambda_z);
        constexpr double nan = pkpd::NcaResult::not_known;
        values.push_back(is_known ? *std::max_element(at.begin(), at.end()) : nan);
        values.push_back(is_known ? *std::min_element(at.begin(), at.end()) : nan);
        values.push_back(result.aucinf_obs / superpose_);
    }

    double superpose_;
    std::vector<const pkpd::NcaParameter*> parameters_;
    std::vector<NcaColumn> columns_;
    std::vector<double> factors_;
};

/// Summaries by everything but the subject, in the order they come.
class NcaGroups {
public:
    NcaGroups(std::size_t subject, std::size_t n_columns)
        : subject_(subject),
          n_columns_(n_columns) {}

    void add(const NcaRow& row) {
        std::vector<std::string> labels = row.labels;
        labels[subject_].clear();
        const auto [at, is_new] = index_.try_emplace(labels, groups_.size());
        if (is_new) {
            groups_.emplace_back();
            groups_.back().labels = labels;
            groups_.back().of.resize(n_columns_);
        }
        for (std::size_t c = 0; c < n_columns_; ++c)
            groups_[at->second].of[c].add(row.values[c], row.weight);
    }

    const std::vector<NcaGroup>& all() const { return groups_; }

private:
    std::size_t subject_, n_columns_;
    std::map<std::vector<std::string>, std::size_t> index_;
    std::vector<NcaGroup> groups_;
};

void check_request(const NcaRequest& request, sim::DiagnosticList& diagnostics) {
    OptionReader reader(diagnostics);
    if (!request.blq.empty() && !request.blq_around_tmax.empty())
        reader.mistake("--blq-around-tmax",
                       request.blq_around_tmax,
                       "--blq says what to do already; use one of them");
    if (!request.superpose.empty() && !request.tau.empty())
        reader.mistake("--superpose",
                       request.superpose,
                       "superposition is of a single dose; --tau says there were several");
}

void print_profiles(ProfileSource& source,
                    const NcaRequest& request,
                    const NcaSettings& settings,
                    const NcaTable& table,
                    std::ostream& out) {
    const bool names_doses = request.intervals == NcaIntervals::all;
    std::vector<std::string> names = source.label_names();
    NcaGroups groups(names.size() - 1, table.columns().size());
    if (names_doses) names.insert(names.end(), {"dose", "dose_time"});
    const auto printer = nca_printer(request.format, names, table.columns(), out);
    source.for_each([&](const SubjectProfile& profile) {
        for (const AnalysedInterval& interval : analyse_subject(profile, request, settings)) {
            NcaRow row{profile.labels,
                       table.values(interval.result),
                       interval.result.notes,
                       profile.weight};
            if (names_doses) {
                row.labels.push_back(std::to_string(interval.dose + 1));
                row.labels.push_back(fmt::format("{:g}", interval.dose_time));
            }
            printer->add(row);
            groups.add(row);
        }
    });
    printer->end(groups.all());
}

/// Samples of each group, times since the first dose.
std::map<std::vector<std::string>, std::vector<pkpd::SparseSample>>
sparse_samples(ProfileSource& source, const NcaSettings& settings) {
    std::map<std::vector<std::string>, std::vector<pkpd::SparseSample>> samples;
    source.for_each([&](const SubjectProfile& profile) {
        const std::vector<std::string> group(profile.labels.begin(), profile.labels.end() - 1);
        const double start = profile.doses.empty() ? 0.0 : profile.doses.front().time;
        for (std::size_t i = 0; i < profile.time.size(); ++i) {
            const double value = profile.concentration[i];
            const bool is_blq = profile.is_blq[i] != 0 || value < settings.lloq;
            if (profile.time[i] >= start)
                samples[group].push_back(
                    {profile.labels.back(), profile.time[i] - start, is_blq ? 0.0 : value});
        }
    });
    return samples;
}

/// The area under the means of each group; one row a group.
void print_sparse(ProfileSource& source,
                  const NcaRequest& request,
                  const NcaSettings& settings,
                  std::ostream& out) {
    std::vector<std::string> names = source.label_names();
    names.pop_back();
    if (names.empty()) names.push_back("group");
    const std::string area = scale_of(Kind::area, source.units()).unit;
    const std::vector<NcaColumn> columns{{"sparse_auclast", area},
                                         {"sparse_auc_se", area},
                                         {"sparse_auc_df", "1"},
                                         {"sparse_auc_lower", area},
                                         {"sparse_auc_upper", area},
                                         {"n_subjects", "1"},
                                         {"n_times", "1"}};
    const auto printer = nca_printer(request.format, names, columns, out);
    for (const auto& [group, of] : sparse_samples(source, settings)) {
        const pkpd::SparseArea a = pkpd::sparse_area(of);
        printer->add({group.empty() ? std::vector<std::string>{"all"} : group,
                      {a.auclast,
                       a.standard_error,
                       a.degrees,
                       a.lower,
                       a.upper,
                       static_cast<double>(a.n_subjects),
                       static_cast<double>(a.n_times)},
                      {},
                      1.0});
    }
    printer->end({});
}

/// What was derived, ignored or assumed while reading.
void print_notes(const ProfileSource& source, std::ostream& out) {
    const std::vector<std::string> notes = source.notes();
    if (!notes.empty()) out << "\nOf the file:\n";
    for (const std::string& note : notes)
        out << "  " << note << '\n';
}

} // namespace

void nca(const std::filesystem::path& file, const NcaRequest& request, std::ostream& out) {
    sim::DiagnosticList diagnostics;
    check_request(request, diagnostics);
    const auto source = is_hdf5(file) ? read_profiles_of_results(file, request, diagnostics)
                                      : read_profiles_of_data(file, request, diagnostics);
    const ProfileUnits units = source ? source->units() : ProfileUnits{};
    const NcaSettings settings = source ? settings_of(request, units, diagnostics) : NcaSettings{};
    const NcaTable table(request, settings, units, diagnostics);
    diagnostics.throw_if_any();
    if (request.is_sparse)
        print_sparse(*source, request, settings, out);
    else
        print_profiles(*source, request, settings, table, out);
    if (request.format == NcaFormat::table) print_notes(*source, out);
}

} // namespace gemel::scenarios
