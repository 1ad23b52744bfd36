#include "nca_profiles.hpp"
#include "reference_file.hpp"

#include <stdexcept>

namespace gemel {

namespace {

using namespace pkpd;

AreaRule rule_named(const std::string& name) {
    return name == "linear" ? AreaRule::linear : AreaRule::linear_up_log_down;
}

std::vector<NcaResult> analyse_set(const std::string& set, const std::string& rule) {
    NcaOptions options;
    options.rule = rule_named(rule);
    std::vector<NcaResult> results;
    for (const NcaProfile& profile : reference_set(set))
        results.push_back(analyse(profile, options));
    return results;
}

/// Results of each set and rule, computed once.
const std::vector<NcaResult>& results_of(const std::string& set, const std::string& rule) {
    static std::map<std::pair<std::string, std::string>, std::vector<NcaResult>> known;
    auto& results = known[{set, rule}];
    if (results.empty()) results = analyse_set(set, rule);
    return results;
}

/// One unit of the last printed digit: ten digits by WinNonlin, then seven decimals.
double last_digit(double value) {
    return std::abs(value) < 1000.0 ? 1e-7 : 1e-6;
}

NcaProfile bolus_profile(const std::vector<double>& times, double c0, double k) {
    NcaProfile profile;
    profile.time = times;
    profile.concentration = decline(c0, k, times);
    profile.route = NcaRoute::bolus;
    profile.dose = 100.0;
    return profile;
}

/// After one oral dose that gives c·(exp(−k·t) − exp(−ka·t)).
double bateman(double t, double c, double ka, double k) {
    return t < 0.0 ? 0.0 : c * (std::exp(-k * t) - std::exp(-ka * t));
}

} // namespace

TEST_CASE("exposure equals WinNonlin's printed digits in 48 analyses of 24 profiles") {
    // Published: Phoenix WinNonlin, see the head of the file.
    std::size_t n_compared = 0;
    for (const std::vector<std::string>& row : reference_rows("winnonlin.csv")) {
        const std::vector<std::string> rules = row[1] == "both"
                                                   ? std::vector<std::string>{"linear", "log"}
                                                   : std::vector<std::string>{row[1]};
        for (const std::string& rule : rules) {
            const std::vector<NcaResult>& results = results_of(row[0], rule);
            REQUIRE(results.size() + 3 == row.size());
            for (std::size_t s = 0; s < results.size(); ++s) {
                INFO(row[0] << ", " << rule << ", " << row[2] << ", subject " << s + 1);
                const double expected = std::stod(row[s + 3]);
                CHECK(std::abs(value_of(results[s], row[2]) - expected) <= last_digit(expected));
                ++n_compared;
            }
        }
    }
    CHECK(n_compared > 900);
}

TEST_CASE("exposure equals fifty-digit arithmetic to 1e-12") {
    // Independent method: tools/nca_numbers.py. Some tens of roundings of 1e-16, worst in 1 − R².
    std::size_t n_compared = 0;
    for (const std::vector<std::string>& row : reference_rows("nca_reference.csv")) {
        INFO(row[0] << ", subject " << row[1] << ", " << row[2] << ", " << row[3]);
        const NcaResult& result = results_of(row[0], row[2])[std::stoul(row[1]) - 1];
        const double expected = std::stod(row[4]);
        CHECK(std::abs(value_of(result, row[3]) - expected) <= 1e-12 * std::abs(expected));
        ++n_compared;
    }
    CHECK(n_compared == 864);
}

TEST_CASE("a bolus that declines exponentially gives back its constants") {
    // Closed form: C0/k, C0/k², D/C0, 1/k; the logarithmic rule has no error on an exponential.
    const double c0 = 10.0, k = 0.3;
    const NcaResult r = analyse(bolus_profile({0.5, 1.0, 4.0, 12.0, 13.0}, c0, k));
    const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-13); };
    CHECK(r.c0 == near(c0));
    CHECK(r.lambda_z == near(k));
    CHECK(r.lambda_z_n_points == 5); // tmax serves a bolus
    CHECK(r.auclast == near(c0 / k * (1.0 - std::exp(-13.0 * k))));
    CHECK(r.aucinf_obs == near(c0 / k));
    CHECK(r.aumcinf_obs == near(c0 / (k * k)));
    CHECK(r.mrt_obs == near(1.0 / k));
    CHECK(r.cl_obs == near(100.0 * k / c0));
    CHECK(r.vz_obs == near(100.0 / c0));
    CHECK(r.vss_obs == near(100.0 / c0));
    CHECK(std::isnan(r.cl_f_obs));
    CHECK(std::isnan(r.tlag));
}

TEST_CASE("half the duration of an infusion is no residence") {
    // Closed form: MRT of one compartment is 1/k whatever the infusion; the profile is dense, so
    // the linear rule while rising errs by some (0.01 h)²·k²/12.
    const double k = 0.2, duration = 2.0;
    NcaProfile profile;
    profile.route = NcaRoute::infusion;
    profile.duration = duration;
    profile.dose = 50.0;
    for (int i = 0; i <= 6000; ++i) {
        const double t = 0.01 * i;
        profile.time.push_back(t);
        const double during = 1.0 - std::exp(-k * std::min(t, duration));
        profile.concentration.push_back(during * std::exp(-k * std::max(0.0, t - duration)));
    }
    const NcaResult r = analyse(profile);
    CHECK(r.mrt_obs == doctest::Approx(1.0 / k).epsilon(1e-6));
    CHECK(r.vss_obs == doctest::Approx(r.vz_obs).epsilon(1e-6));
    CHECK(r.ceoi == doctest::Approx(1.0 - std::exp(-k * duration)).epsilon(1e-13));
}

TEST_CASE("near concentrations keep their digits in the logarithmic rule") {
    // Closed form: (c0/k)·(1 − e^{−kT}) with kT = 1e-9, which a plain quotient of logarithms loses.
    const double k = 1e-9;
    const NcaResult r = analyse(bolus_profile({0.0, 1.0, 2.0, 3.0}, 5.0, k));
    CHECK(r.auclast == doctest::Approx(-5.0 * std::expm1(-3.0 * k) / k).epsilon(1e-15));
    CHECK(r.aumclast == doctest::Approx(5.0 * 4.5).epsilon(1e-8)); // ∫ t·C with C all but constant
}

TEST_CASE(
    "lambda_z takes more points where adjusted R² hardly differs, and never tmax but by bolus") {
    // Invariants of the rule; the line of all points is exact, so every start ties.
    const std::vector<double> times{1.0, 2.0, 3.0, 4.0, 6.0};
    NcaProfile oral = bolus_profile(times, 8.0, 0.25);
    oral.route = NcaRoute::extravascular;
    CHECK(analyse(oral).lambda_z_n_points == 4);
    NcaOptions with_peak;
    with_peak.slope_from_tmax = true;
    CHECK(analyse(oral, with_peak).lambda_z_n_points == 5);
    NcaOptions five;
    five.slope_points = 5;
    const NcaResult none = analyse(oral, five);
    CHECK(none.lambda_z_n_points == 0);
    CHECK(std::isnan(none.aucinf_obs));
    REQUIRE(none.notes.size() == 1);
    CHECK(none.notes[0] == "no lambda_z: no decline over 5 points");
}

TEST_CASE("points can be chosen for lambda_z and left out of it") {
    // Closed form: an exponential but for one point.
    NcaProfile profile = bolus_profile({0.0, 2.0, 4.0, 6.0, 8.0, 10.0}, 8.0, 0.25);
    profile.concentration[4] *= 1.5;
    profile.slope.assign(6, SlopePoint::automatic);
    profile.slope[4] = SlopePoint::leave_out;
    NcaResult r = analyse(profile);
    CHECK(r.lambda_z == doctest::Approx(0.25).epsilon(1e-13));
    CHECK(r.lambda_z_n_points == 5);
    profile.slope.assign(6, SlopePoint::automatic);
    profile.slope[1] = profile.slope[3] = SlopePoint::use;
    r = analyse(profile);
    CHECK(r.lambda_z == doctest::Approx(0.25).epsilon(1e-13));
    CHECK(r.lambda_z_n_points == 2);
    CHECK(r.lambda_z_time_first == 2.0);
    CHECK(r.lambda_z_time_last == 6.0);
}

TEST_CASE("a rising end gives no lambda_z") {
    NcaProfile profile;
    profile.time = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0};
    profile.concentration = {0.0, 9.0, 1.0, 1.1, 1.2, 1.3};
    NcaOptions options;
    const NcaResult r = analyse(profile, options);
    // Lines from 2 h on rise; the tie rule must not let a rising line win either.
    CHECK(r.lambda_z_n_points == 0);
    CHECK(r.clast_obs == 1.3);
}

TEST_CASE("what cannot be trusted is noted") {
    NcaProfile profile = bolus_profile({0.0, 0.5, 1.0, 1.5}, 8.0, 0.25);
    profile.concentration = {8.0, 5.0, 7.0, 4.5};
    const NcaResult r = analyse(profile);
    const std::vector<std::string> expected{
        "r_squared below 0.9", "span_ratio below 2", "more than 20 % extrapolated"};
    CHECK(r.notes == expected);
}

TEST_CASE("concentrations below the limit are kept first, dropped between, kept last") {
    NcaProfile profile;
    profile.time = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
    profile.concentration = {0.0, 0.0, 4.0, 0.0, 2.0, 0.0, 0.0};
    NcaOptions linear;
    linear.rule = AreaRule::linear;
    NcaOptions options = linear;
    NcaResult r = analyse(profile, options);
    CHECK(r.tlag == 1.0);
    CHECK(r.tlast == 4.0);
    CHECK(r.auclast == 2.0 + 6.0); // 0→4 over 1 h, 4→2 over 2 h
    CHECK(r.aucall == 8.0 + 1.0);  // and 2→0 over 1 h
    options.blq.middle = BlqUse::zero;
    CHECK(analyse(profile, options).auclast == 2.0 + 2.0 + 1.0);
    options.blq = {
        .first = BlqUse::drop, .middle = BlqUse::value, .last = BlqUse::drop, .value = 1};
    r = analyse(profile, options);
    CHECK(r.auclast == 4.0 + 2.5 + 1.5); // 0 at the dose stands in for the dropped points
    CHECK(r.aucall == r.auclast);
    CHECK(r.tlag == 1.0);
    options.blq = {.first = BlqUse::zero, .middle = BlqUse::drop, .last = BlqUse::zero};
    options.blq.is_by_tmax = true;
    CHECK(analyse(profile, options).auclast == 8.0);
    // A mark tells of a limit above 0.
    profile.concentration = {0.1, 0.1, 4.0, 0.1, 2.0, 0.1, 0.1};
    profile.is_blq = {1, 1, 0, 1, 0, 1, 1};
    CHECK(analyse(profile, linear).aucall == 9.0);
}

TEST_CASE("nothing measurable and nothing at all are told") {
    NcaProfile profile;
    profile.time = {0.0, 1.0, 2.0};
    profile.concentration = {0.0, 0.0, 0.0};
    NcaOptions options;
    options.partials = {{0.0, 1.0}};
    NcaResult r = analyse(profile, options);
    CHECK(r.cmax == 0.0);
    CHECK(r.auclast == 0.0);
    CHECK(std::isnan(r.aucinf_obs));
    CHECK(r.partial_aucs.size() == 1);
    CHECK(r.notes == std::vector<std::string>{"no measurable concentration"});
    profile.concentration.assign(3, NcaResult::not_known);
    r = analyse(profile);
    CHECK(std::isnan(r.cmax));
    CHECK(r.notes == std::vector<std::string>{"no concentration"});
}

TEST_CASE("partial areas, thresholds and the interval follow the exponential exactly") {
    // Closed form: (c0/k)·(e^{−ka} − e^{−kb}), also beyond the last point and between points.
    const double c0 = 10.0, k = 0.3;
    NcaProfile profile = bolus_profile({0.0, 1.0, 4.0, 9.0}, c0, k);
    profile.tau = 12.0;
    NcaOptions options;
    options.partials = {{0.0, 2.5}, {2.5, 11.0}, {10.0, 20.0}};
    options.thresholds = {5.0, 0.4, 20.0};
    const NcaResult r = analyse(profile, options);
    const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-13); };
    for (std::size_t i = 0; i < options.partials.size(); ++i)
        CHECK(r.partial_aucs[i] == near(c0 / k *
                                        (std::exp(-k * options.partials[i].from) -
                                         std::exp(-k * options.partials[i].to))));
    CHECK(r.times_above[0] == near(std::log(2.0) / k));
    CHECK(r.times_above[1] == near(std::log(25.0) / k));
    CHECK(r.times_above[2] == 0.0);
    CHECK(r.auctau == near(c0 / k * (1.0 - std::exp(-12.0 * k))));
    CHECK(r.cav == near(r.auctau / 12.0));
    CHECK(r.ctrough == near(c0 * std::exp(-12.0 * k)));
    CHECK(r.cmin == near(r.ctrough));
    CHECK(r.deg_fluc == near(100.0 * (c0 - r.ctrough) / r.cav));
    CHECK(r.swing == near(100.0 * (c0 / r.ctrough - 1.0)));
    CHECK(r.accumulation_index == near(1.0 / (1.0 - std::exp(-12.0 * k))));
    CHECK(r.tss_90 == near(std::log(10.0) / k));
}

TEST_CASE("one interval of a steady state gives the clearance, volume and residence of one dose") {
    // Closed form: AUCτ at steady state is D/CL, and MRT = (AUMCτ + τ·AUC beyond τ)/AUCτ = 1/k.
    const double k = 0.1, volume = 20.0, dose = 100.0, tau = 12.0;
    NcaProfile profile =
        bolus_profile({0.0, 1.0, 3.0, 6.0, 9.0, 12.0}, dose / volume / -std::expm1(-k * tau), k);
    profile.tau = tau;
    profile.is_steady = true;
    const NcaResult r = analyse(profile);
    const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-13); };
    CHECK(r.cl_ss == near(k * volume));
    CHECK(r.vz_ss == near(volume));
    CHECK(r.mrt_ss == near(1.0 / k));
    CHECK(r.vss_ss == near(volume));
    CHECK(std::isnan(r.cl_obs));
}

TEST_CASE("superposition gives the profile of many doses from that of one") {
    // Closed form: sums of the Bateman function; at points of the single profile nothing is
    // interpolated, and after tmax the tail is exact once the absorbed part is gone (ka·72 h = 72).
    const double c = 8.0, ka = 1.0, k = 0.1, tau = 12.0;
    NcaProfile profile;
    for (int t = 0; t <= 72; ++t) {
        profile.time.push_back(t);
        profile.concentration.push_back(bateman(t, c, ka, k));
    }
    const NcaResult single = analyse(profile);
    std::vector<SuperposedDose> doses;
    std::vector<double> times;
    for (int i = 0; i < 10; ++i)
        doses.push_back({tau * i, i == 0 ? 2.0 : 1.0});
    for (int t = 0; t <= 150; t += 3)
        times.push_back(t);
    const std::vector<double> predicted = superpose(single.curve, doses, times);
    for (std::size_t i = 0; i < times.size(); ++i) {
        double expected = 0.0;
        for (const SuperposedDose& dose : doses)
            expected += dose.share * bateman(times[i] - dose.time, c, ka, k);
        // lambda_z of points with e^{−ka·t} of 1e-5 at most beside them is off by about 1e-5
        CHECK(predicted[i] == doctest::Approx(expected).epsilon(1e-4));
    }
    const std::vector<double> within{0.0, 2.0, 6.0, 12.0};
    const std::vector<double> steady = superpose_steady_state(single.curve, tau, within);
    for (std::size_t i = 0; i < within.size(); ++i) {
        const double expected = c * (std::exp(-k * within[i]) / -std::expm1(-k * tau) -
                                     std::exp(-ka * within[i]) / -std::expm1(-ka * tau));
        CHECK(steady[i] == doctest::Approx(expected).epsilon(1e-4));
    }
}

TEST_CASE("superposition of an exponential is exact, at steady state too") {
    // Closed form: geometric series.
    const double c0 = 10.0, k = 0.3, tau = 5.0;
    const NcaResult single = analyse(bolus_profile({0.0, 1.0, 4.0, 9.0}, c0, k));
    const std::vector<double> times{0.0, 2.5, 4.9};
    const std::vector<double> steady = superpose_steady_state(single.curve, tau, times);
    for (std::size_t i = 0; i < times.size(); ++i)
        CHECK(steady[i] ==
              doctest::Approx(c0 * std::exp(-k * times[i]) / -std::expm1(-k * tau)).epsilon(1e-13));
    CHECK_THROWS_AS(superpose_steady_state(single.curve, 0.0, times), std::invalid_argument);
}

TEST_CASE("dose normalisation divides by the dose, units follow") {
    NcaProfile profile = bolus_profile({0.0, 1.0, 4.0, 9.0}, 10.0, 0.3);
    const NcaResult r = analyse(profile);
    CHECK(r.cmax_dn == doctest::Approx(0.1).epsilon(1e-15));
    CHECK(r.aucinf_obs_dn == doctest::Approx(r.aucinf_obs / 100.0).epsilon(1e-15));
    using Kind = NcaParameter::Kind;
    const NcaUnits units{*sim::parse_unit("h"), *sim::parse_unit("ug/L"), *sim::parse_unit("mg")};
    const NcaScale clearance = nca_scale(Kind::clearance, units);
    CHECK(clearance.unit == "L/h");
    CHECK(clearance.factor == doctest::Approx(1000.0).epsilon(1e-15)); // mg/(µg/L) = 1000 L
    CHECK(nca_scale(Kind::volume, units).unit == "L");
    CHECK(nca_scale(Kind::area, units).factor == 1.0);
    CHECK(nca_scale(Kind::percent, units).unit == "%");
    const NcaUnits bare;
    CHECK(nca_scale(Kind::clearance, bare).unit == "1");
}

TEST_CASE("every parameter has a name of its own and a place in the result") {
    std::map<std::string, int> names;
    for (const NcaParameter& parameter : nca_parameters()) {
        CHECK(++names[parameter.name] == 1);
        CHECK(parameter.about != std::string());
    }
}

TEST_CASE("a profile out of order is refused") {
    NcaProfile profile = bolus_profile({0.0, 1.0, 1.0, 4.0}, 10.0, 0.3);
    CHECK_THROWS_AS(analyse(profile), std::invalid_argument);
    profile = bolus_profile({0.0, 1.0, 2.0}, 10.0, 0.3);
    profile.concentration[1] = -1.0;
    CHECK_THROWS_AS(analyse(profile), std::invalid_argument);
    profile.concentration.pop_back();
    CHECK_THROWS_AS(analyse(profile), std::invalid_argument);
}

TEST_CASE("serial sampling gives Bailer's area, error and degrees of freedom") {
    // Closed form, by hand: means 0, 4, 2 at 0, 1, 3 h, weights 0.5, 1.5, 1; variances 0, 4, 1 of
    // three animals each: var = (2.25·4 + 1)/3 = 10/3, df = 2·(10/3)²/(3² + (1/3)²).
    std::vector<SparseSample> samples;
    const std::vector<std::vector<double>> values{{0, 0, 0}, {2, 4, 6}, {1, 2, 3}};
    const std::vector<double> times{0.0, 1.0, 3.0};
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t i = 0; i < 3; ++i)
            samples.push_back({"animal " + std::to_string(3 * t + i), times[t], values[t][i]});
    const SparseArea r = sparse_area(samples);
    CHECK(r.auclast == doctest::Approx(8.0).epsilon(1e-15));
    CHECK(r.standard_error == doctest::Approx(std::sqrt(10.0 / 3.0)).epsilon(1e-15));
    CHECK(r.degrees == doctest::Approx(2.0 * (100.0 / 9.0) / (9.0 + 1.0 / 9.0)).epsilon(1e-14));
    CHECK(r.n_subjects == 9);
    CHECK(r.n_times == 3);
    CHECK(r.lower < 8.0);
}

TEST_CASE("batches that are sampled at all times give the error of a mean of areas") {
    // Independent method: with complete data the area of the means is the mean of the areas, and
    // Holder's covariances are the ordinary ones.
    const std::vector<double> times{0.0, 1.0, 2.0, 4.0};
    const std::vector<std::vector<double>> animals{{1, 5, 4, 1}, {2, 7, 4, 2}, {1, 6, 3, 2.5}};
    std::vector<SparseSample> samples;
    std::vector<double> areas;
    for (std::size_t a = 0; a < animals.size(); ++a) {
        double sum = 0.0;
        for (std::size_t t = 0; t < times.size(); ++t) {
            samples.push_back({std::to_string(a), times[t], animals[a][t]});
            if (t > 0) sum += (times[t] - times[t - 1]) * 0.5 * (animals[a][t - 1] + animals[a][t]);
        }
        areas.push_back(sum);
    }
    const double mean = (areas[0] + areas[1] + areas[2]) / 3.0;
    double squares = 0.0;
    for (const double value : areas)
        squares += (value - mean) * (value - mean);
    const SparseArea r = sparse_area(samples);
    CHECK(r.auclast == doctest::Approx(mean).epsilon(1e-14));
    CHECK(r.standard_error == doctest::Approx(std::sqrt(squares / 2.0 / 3.0)).epsilon(1e-13));
    CHECK(r.degrees == doctest::Approx(2.0).epsilon(1e-13));
}

TEST_CASE("batches that overlap have no degrees of freedom, samples of half zeros no tail") {
    std::vector<SparseSample> samples{{"a", 0.0, 1.0},
                                      {"b", 0.0, 2.0},
                                      {"b", 1.0, 4.0},
                                      {"c", 1.0, 3.0},
                                      {"d", 2.0, 0.0},
                                      {"e", 2.0, 0.0},
                                      {"f", 2.0, 0.5}};
    const SparseArea r = sparse_area(samples);
    CHECK(std::isnan(r.degrees));
    CHECK(std::isnan(r.lower));
    CHECK(r.n_times == 2);
    CHECK(r.auclast == doctest::Approx(0.5 * (1.5 + 3.5)));
    samples.push_back({"a", 0.0, 1.0});
    CHECK_THROWS_AS(sparse_area(samples), std::invalid_argument);
}

} // namespace gemel
