#include "uncertain.hpp"

#include <gemel/pkpd/residual.hpp>

#include <array>

/// Variances, residual errors and proportions that differ by replicate.
using namespace gemel;
using namespace gemel::pkpd;

namespace {

const char* const varying_model = R"(gemel = "model/1"
[model]
name = "varying"
source = "test"
time = "h"
equations = """
d/dt(x) = -CL / V * x
C = x / V
E = ka / (1[1/h] + ka)
"""
[routes.iv]
into = "x"
[states]
x = { unit = "mg" }
[outputs]
C = { unit = "mg/L", error = { law = "combined2", proportional = 0.1, additive = 0.02 } }
E = { unit = "1", error = { law = "lognormal", sd = 0.2 } }
[[residual_correlation]]
of = ["C", "E"]
correlation = [[0.5]]
[parameters]
CL = { value = 5, unit = "L/h", iiv = { sd = 0.3 }, iov = { sd = 0.1 } }
V = { value = "GROUP_slow ? V40 : 50[L]", unit = "L", iiv = { sd = 0.2 }, iov = { sd = 0.2 } }
V40 = { value = 40, unit = "L" }
ka = { value = 1, unit = "1/h", iiv = { sd = 0.4 } }
[[omega]]
of = ["CL", "V"]
correlation = [[0.5]]
[[omega]]
of = ["CL", "V"]
level = "occasion"
correlation = [[-0.2]]
[mixtures.GROUP]
proportions = { slow = 0.3, fast = 0.6, other = 0.1 }
reference = "fast"
)";

constexpr std::uint32_t many = 65000; // a replicate has 16 bits

std::shared_ptr<const Model> the_varying_model() {
    const Loaded loaded = load_text(varying_model, "varying.toml");
    REQUIRE(loaded.messages == "");
    return loaded.model;
}

/// Of one number in all replicates, by its name.
std::vector<double> drawn(const ParameterUncertainty& read,
                          const std::string& name,
                          std::uint32_t n,
                          std::uint64_t seed = 5) {
    const auto at = std::ranges::find(read.numbers, name, &LawNumber::name);
    REQUIRE(at != read.numbers.end());
    const auto index = static_cast<std::size_t>(at - read.numbers.begin());
    std::vector<double> values;
    for (std::uint32_t r = 0; r < n; ++r)
        values.push_back(uncertain_values(read, seed, r)[index]);
    return values;
}

ReadUncertainty good(const Model& model, const std::string& toml, std::uint32_t n = many) {
    const ReadUncertainty result = uncertainty(model, toml, n);
    REQUIRE(result.messages == "");
    return result;
}

/// Of the mean, and of the variance by the fourth moment.
void check_moments(const std::vector<double>& values, double expected_mean, double expected_var) {
    const auto n = static_cast<double>(values.size());
    const double centre = mean(values), spread = sd(values);
    double fourth = 0.0;
    for (double value : values)
        fourth += std::pow(value - centre, 4.0) / n;
    const double var = spread * spread;
    CHECK(std::abs(centre - expected_mean) < 4.0 * spread / std::sqrt(n));
    CHECK(std::abs(var - expected_var) < 4.0 * std::sqrt((fourth - var * var) / n));
}

std::vector<double> mapped(std::vector<double> values, double (*function)(double)) {
    for (double& value : values)
        value = function(value);
    return values;
}

void check_normal(const std::vector<double>& values, double mean, double sd) {
    CHECK(ks_distance(values, [&](double x) { return phi((x - mean) / sd); }) <
          ks_critical(values.size()));
}

/// χ² with an even number of degrees of freedom: P(χ² > x) = exp(−x/2)·Σ (x/2)^k/k!, k < df/2.
double chi_square_even(int df, double x) {
    double term = 1.0, sum = 0.0;
    for (int k = 0; k < df / 2; ++k) {
        sum += term;
        term *= 0.5 * x / (k + 1);
    }
    return 1.0 - std::exp(-0.5 * x) * sum;
}

} // namespace

TEST_CASE("an inverse Wishart Omega has the moments and the law of its elements") {
    // Oracle: closed forms of IW(ν, νΩ̂) (e.g. Press 1982, Applied Multivariate Analysis, 5.2): the
    // mean, the variances of elements, and νΩ̂ii/ωii of law χ² with ν − p + 1 degrees of freedom.
    const auto model = the_varying_model();
    const auto read = good(*model, "[[omega]]\nof = [\"V\", \"CL\"]\ndf = 21\n").read;
    const double nu = 21.0, p = 2.0, a = 0.09, b = 0.03, c = 0.04; // of the model
    const auto cl = drawn(*read, "iiv.CL.var", many), v = drawn(*read, "iiv.V.var", many),
               both = drawn(*read, "iiv.CL.V.covariance", many);
    const double mean_factor = nu / (nu - p - 1.0);
    const auto variance = [&](double ij, double ii, double jj) {
        return nu * nu * ((nu - p + 1.0) * ij * ij + (nu - p - 1.0) * ii * jj) /
               ((nu - p) * (nu - p - 1.0) * (nu - p - 1.0) * (nu - p - 3.0));
    };
    check_moments(cl, mean_factor * a, variance(a, a, a));
    check_moments(v, mean_factor * c, variance(c, c, c));
    check_moments(both, mean_factor * b, variance(b, a, c));
    for (const auto& [values, estimate] : {std::pair(&cl, a), std::pair(&v, c)}) {
        std::vector<double> ratio;
        for (double value : *values)
            ratio.push_back(nu * estimate / value);
        CHECK(ks_distance(ratio, [](double x) { return chi_square_even(20, x); }) <
              ks_critical(many));
    }
    // Ω⁻¹ is Wishart: (Ω⁻¹)₁₁ of mean Ω̂⁻¹₁₁ and variance 2(Ω̂⁻¹₁₁)²/ν.
    std::vector<double> precision;
    for (std::size_t r = 0; r < many; ++r)
        precision.push_back(v[r] / (cl[r] * v[r] - both[r] * both[r]));
    const double expected = c / (a * c - b * b);
    check_moments(precision, expected, 2.0 * expected * expected / nu);
}

TEST_CASE("degrees of freedom from a relative standard error give variances of that precision") {
    // Oracle: the declared CV of an inverse gamma law, of a group, of one effect, of occasions.
    const auto model = the_varying_model();
    const auto read = good(*model,
                           "[[omega]]\nof = [\"CL\", \"V\"]\nrse = 0.2\n"
                           "[[omega]]\nof = [\"ka\"]\nrse = 0.25\n"
                           "[[omega]]\nof = [\"CL\", \"V\"]\nlevel = \"occasion\"\nrse = 0.3\n")
                          .read;
    for (const auto& [name, rse] : {std::pair("iiv.CL.var", 0.2),
                                    std::pair("iiv.V.var", 0.2),
                                    std::pair("iiv.ka.var", 0.25),
                                    std::pair("iov.V.var", 0.3)}) {
        CAPTURE(name);
        const auto values = drawn(*read, name, many);
        // The sd's own error is some 1 % for the heavier tail of rse 0.3 at 65,000 draws
        CHECK(sd(values) / mean(values) == doctest::Approx(rse).epsilon(0.03));
    }
    const double of_levels =
        correlation(drawn(*read, "iiv.CL.var", many), drawn(*read, "iov.CL.var", many));
    CHECK(std::abs(of_levels) < 4.0 / std::sqrt(many));
}

TEST_CASE("a covariance of variances is normal on the log-Cholesky scale, with typical values") {
    // Oracle: a root of a 2 × 2 matrix written out, differentiated numerically; normal laws.
    const auto model = the_varying_model();
    const std::array<double, 4> estimate{5.0, 0.09, 0.03, 0.04}; // CL; Ω11, Ω21, Ω22
    const std::array<std::array<double, 4>, 4> c{{{0.04, 8e-4, 2e-4, 0.0},
                                                  {8e-4, 4e-4, 1e-4, 5e-5},
                                                  {2e-4, 1e-4, 2e-4, 4e-5},
                                                  {0.0, 5e-5, 4e-5, 1e-4}}};
    const auto read =
        good(*model,
             "of = [\"CL\", \"iiv.CL.var\", \"iiv.V.CL.covariance\", \"iiv.V.var\"]\n"
             "covariance = [[0.04], [8e-4, 4e-4], [2e-4, 1e-4, 2e-4], [0, 5e-5, 4e-5, 1e-4]]\n")
            .read;
    const auto place = [](const std::array<double, 4>& x) {
        const double l21 = x[2] / std::sqrt(x[1]);
        return std::array<double, 4>{
            x[0], 0.5 * std::log(x[1]), l21, 0.5 * std::log(x[3] - l21 * l21)};
    };
    std::array<std::array<double, 4>, 4> jacobian{}, moved{};
    for (std::size_t k = 0; k < 4; ++k) {
        auto up = estimate, down = estimate;
        const double step = 1e-5 * estimate[k]; // error of the order step²
        up[k] += step;
        down[k] -= step;
        for (std::size_t i = 0; i < 4; ++i)
            jacobian[i][k] = (place(up)[i] - place(down)[i]) / (2.0 * step);
    }
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j)
            for (std::size_t k = 0; k < 4; ++k)
                for (std::size_t l = 0; l < 4; ++l)
                    moved[i][j] += jacobian[i][k] * c[k][l] * jacobian[j][l];
    std::array<std::vector<double>, 4> places;
    for (std::uint32_t r = 0; r < many; ++r) {
        const std::vector<double> x = uncertain_values(*read, 5, r);
        REQUIRE(x[1] * x[3] > x[2] * x[2]); // positive definite, whatever is drawn
        const auto at = place({x[0], x[1], x[2], x[3]});
        for (std::size_t i = 0; i < 4; ++i)
            places[i].push_back(at[i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        check_normal(places[i], place(estimate)[i], std::sqrt(moved[i][i]));
        for (std::size_t j = 0; j < i; ++j) {
            const double r = moved[i][j] / std::sqrt(moved[i][i] * moved[j][j]);
            CHECK(std::abs(correlation(places[i], places[j]) - r) < 4.0 / std::sqrt(many));
        }
    }
}

TEST_CASE("readings of one estimate are one law, to the first order of its error") {
    // Invariant: sd, variance and correlation instead of variances and covariance, with standard
    // errors turned by the delta method, move no number by more than rounding where the map is a
    // power, and have one law on the scale in any case.
    const auto model = the_varying_model();
    const auto as_var =
                   good(*model, "rse = { iiv.ka.var = 0.2, error.C.additive.var = 0.3 }\n", 50),
               as_sd = good(*model, "rse = { iiv.ka.sd = 0.1, error.C.additive = 0.15 }\n", 50);
    for (std::uint32_t r = 0; r < 50; ++r) {
        const auto a = uncertain_values(*as_var.read, 5, r),
                   b = uncertain_values(*as_sd.read, 5, r);
        CHECK(a[0] == doctest::Approx(b[0] * b[0]).epsilon(1e-14));
        CHECK(a[1] == doctest::Approx(b[1] * b[1]).epsilon(1e-14));
    }
    // By hand: with sds known, Ω21 = r·s1·s2, an error of r is one of Ω21.
    const auto by_r = good(*model,
                           "of = [\"iiv.CL.sd\", \"iiv.CL.V.correlation\", \"iiv.V.cv\"]\n"
                           "covariance = [[0], [0, 0.0025], [0, 0, 0]]\n",
                           50),
               by_cov = good(*model,
                             "of = [\"iiv.CL.var\", \"iiv.CL.V.covariance\", \"iiv.V.var\"]\n"
                             "covariance = [[0], [0, 9e-6], [0, 0, 0]]\n",
                             50);
    for (std::uint32_t r = 0; r < 50; ++r) {
        const auto a = laws_of_replicate(*model, by_r.read.get(), 5, r)->omega[0].covariance,
                   b = laws_of_replicate(*model, by_cov.read.get(), 5, r)->omega[0].covariance;
        for (std::size_t k = 0; k < 4; ++k)
            CHECK(a[k] == doctest::Approx(b[k]).epsilon(1e-12));
    }
}

TEST_CASE("sds alone, errors, correlations of errors and proportions have their laws") {
    const auto model = the_varying_model();
    const auto read =
        good(*model,
             "rse = { iiv.V.sd = 0.1, iov.CL.var = 0.2, error.C.proportional = 0.15, error.E.sd = "
             "0.12, error.C.E.correlation = 0.2, mixture.GROUP.slow = 0.1, mixture.GROUP.other = "
             "0.3 }\n")
            .read;
    const auto log = [](double x) { return std::log(x); };
    check_normal(mapped(drawn(*read, "iiv.V.sd", many), log), std::log(0.2), 0.1);
    check_normal(mapped(drawn(*read, "iov.CL.var", many), log), std::log(0.01), 0.2);
    check_normal(mapped(drawn(*read, "error.C.proportional", many), log), std::log(0.1), 0.15);
    check_normal(mapped(drawn(*read, "error.E.sd", many), log), std::log(0.2), 0.12);
    // Fisher's z: the standard error 0.1 over 1 − r².
    check_normal(mapped(drawn(*read, "error.C.E.correlation", many), std::atanh),
                 std::atanh(0.5),
                 0.1 / 0.75);
    // ln(p_slow/p_fast), p_fast = 1 − p_slow − p_other, the errors 0.03 and 0.03 independent.
    const auto slow = drawn(*read, "mixture.GROUP.slow", many),
               other = drawn(*read, "mixture.GROUP.other", many);
    std::vector<double> ratio;
    for (std::size_t r = 0; r < many; ++r)
        ratio.push_back(std::log(slow[r] / (1.0 - slow[r] - other[r])));
    const double by_slow = 1.0 / 0.3 + 1.0 / 0.6, by_other = 1.0 / 0.6;
    check_normal(ratio, std::log(0.5), 0.03 * std::sqrt(by_slow * by_slow + by_other * by_other));
    // Where only variances vary, correlations stay: 0.5 of CL and V.
    const PopulationLaws laws = *laws_of_replicate(*model, read.get(), 5, 3);
    const std::vector<double>& omega = laws.omega[0].covariance;
    CHECK(omega[0] == doctest::Approx(0.09).epsilon(1e-15));
    CHECK(std::sqrt(omega[3]) == doctest::Approx(drawn(*read, "iiv.V.sd", 4)[3]).epsilon(1e-14));
    CHECK(omega[1] / std::sqrt(omega[0] * omega[3]) == doctest::Approx(0.5).epsilon(1e-14));
}

TEST_CASE("patients of a replicate vary by its Omega, occasions and proportions") {
    // Oracle: the declared variances; four standard errors of sd, correlation and frequency.
    const auto model = the_varying_model();
    const auto table = temporary_path("laws.csv");
    std::ofstream(table) << "iiv.CL.sd,iiv.V.sd,iiv.CL.V.correlation,iov.V.var,mixture.GROUP.slow,"
                            "mixture.GROUP.fast\n"
                            "0.3,0.2,0.5,0.04,0.3,0.6\n0.6,0.1,-0.8,0.01,0.8,0.1\n";
    const auto read =
        good(*model, fmt::format("draws = \"{}\"\n", table.filename().string()), 2).read;
    std::filesystem::remove(table);
    Population population = read_well("size = 40000\n", *model);
    const CohortBlock plain = population.draw({1, 0, 40000});
    population.uncertainty = read;
    const CohortBlock own = population.draw({1, 0, 40000});
    const double root_n = std::sqrt(40000.0);
    const auto eta = [&](const char* name) {
        return column(own.etas, 40000, static_cast<std::size_t>(model->find_parameter(name)));
    };
    CHECK(std::abs(sd(eta("CL")) - 0.6) < 4.0 * 0.6 / std::sqrt(2.0) / root_n);
    CHECK(std::abs(sd(eta("V")) - 0.1) < 4.0 * 0.1 / std::sqrt(2.0) / root_n);
    CHECK(std::abs(correlation(eta("CL"), eta("V")) + 0.8) < 4.0 * 0.36 / root_n);
    const auto kappa =
        column(own.iovs, 40000, static_cast<std::size_t>(model->find_parameter("V")));
    CHECK(std::abs(sd(kappa) - 0.1) < 4.0 * 0.1 / std::sqrt(2.0) / root_n);
    const double n_slow =
        static_cast<double>(std::ranges::count(own.covariates, 0.0)); // its first category
    CHECK(std::abs(n_slow / 40000.0 - 0.8) < 4.0 * 0.4 / root_n);
    // The first of a group keeps its score; what is certain keeps its number.
    const auto index = static_cast<std::size_t>(model->find_parameter("CL"));
    CHECK(own.etas[index * 40000 + 7] ==
          doctest::Approx(2.0 * plain.etas[index * 40000 + 7]).epsilon(1e-14));
    CHECK(column(own.etas, 40000, 3) == column(plain.etas, 40000, 3)); // ka
    // A row that repeats the model: the study itself, to the rounding of r·s·s.
    const CohortBlock first = population.draw({0, 0, 100});
    population.uncertainty = nullptr;
    const CohortBlock same = population.draw({0, 0, 100});
    for (std::size_t i = 0; i < first.inputs.size(); ++i)
        CHECK(first.inputs[i] == doctest::Approx(same.inputs[i]).epsilon(1e-13));
}

TEST_CASE("the spread over replicates is that of patients and of what is not known") {
    // Oracle: the law of total variance, Var(mean) = E[Var(P|r)]/n + Var(E[P|r]), with the moments
    // of log-normals; replicates take four rows in turn.
    constexpr std::uint32_t n_replicates = 8000;
    constexpr std::size_t n_subjects = 20;
    const auto model = the_varying_model();
    const auto table = temporary_path("total.csv");
    const std::vector<std::pair<double, double>> rows{{4, 0.2}, {5, 0.4}, {6, 0.3}, {5, 0.6}};
    {
        std::ofstream file(table);
        file << "CL,iiv.CL.sd\n";
        for (std::uint32_t r = 0; r < n_replicates; ++r)
            file << rows[r % 4].first << ',' << rows[r % 4].second << '\n';
    }
    Population population = read_well(fmt::format("size = {}\n", n_subjects), *model);
    population.uncertainty =
        good(*model, fmt::format("draws = \"{}\"\n", table.filename().string()), n_replicates).read;
    std::filesystem::remove(table);
    std::vector<double> means;
    for (std::uint32_t r = 0; r < n_replicates; ++r) {
        const CohortBlock block = population.draw({r, 0, n_subjects});
        double sum = 0.0;
        for (std::size_t s = 0; s < n_subjects; ++s)
            sum += population.laws_of(r)->typical[0] * std::exp(block.etas[s]);
        means.push_back(sum / n_subjects);
    }
    double within = 0.0, first = 0.0, second = 0.0;
    for (const auto& [theta, omega] : rows) {
        const double w = omega * omega, centre = theta * std::exp(0.5 * w);
        within += 0.25 * centre * centre * std::expm1(w) / n_subjects;
        first += 0.25 * centre;
        second += 0.25 * centre * centre;
    }
    check_moments(means, first, within + second - first * first);
}

TEST_CASE("the variance of mean squares over replicates is that of total variance, drawn too") {
    // Oracle: m = Σ η²/n with η ~ N(0, ω²) and ω² ~ νω̂²/χ²(ν): E m = E ω², Var m = 2·E ω⁴/n + Var
    // ω².
    constexpr std::uint32_t n_replicates = 20000;
    constexpr std::size_t n_subjects = 10;
    const auto model = the_varying_model();
    Population population = read_well(fmt::format("size = {}\n", n_subjects), *model);
    population.uncertainty = good(*model, "[[omega]]\nof = [\"ka\"]\ndf = 30\n").read;
    std::vector<double> squares;
    for (std::uint32_t r = 0; r < n_replicates; ++r) {
        const CohortBlock block = population.draw({r, 0, n_subjects});
        double sum = 0.0;
        for (std::size_t s = 0; s < n_subjects; ++s)
            sum += block.etas[3 * n_subjects + s] * block.etas[3 * n_subjects + s];
        squares.push_back(sum / n_subjects);
    }
    const double nu = 30.0, scale = nu * 0.16;
    const double first = scale / (nu - 2.0), second = scale * scale / ((nu - 2.0) * (nu - 4.0));
    check_moments(squares, first, 2.0 * second / n_subjects + second - first * first);
}

TEST_CASE("measurements of a replicate have its errors") {
    // Oracle: the laws of docs/theory/residual_error.md with the scores of the model's own law.
    const auto model = the_varying_model();
    PopulationLaws laws = laws_of(*model);
    laws.residual_errors[0].additive = 0.5;
    laws.residual_errors[0].proportional = 0.0;
    const std::vector<ResidualSample> samples{{0, 1.0}, {1, 2.0}};
    const ResidualLaw own(*model, samples, &laws), plain(*model, samples);
    const sim::RandomStream::Key key{1, 2, 3};
    const std::vector<double> values{10.0, 1.0}, scores = plain.scores(key);
    std::vector<double> measured(2);
    own.observe(key, values, measured);
    CHECK(measured[0] == 10.0 + 0.5 * scores[0]);
    CHECK(measured[1] == doctest::Approx(std::exp(0.2 * scores[1])).epsilon(1e-15));
}

TEST_CASE("numbers of replicates stay where others come and go") {
    const auto model = the_varying_model();
    const auto few = good(*model, "rse = { CL = 0.1 }\n", 20),
               more = good(*model,
                           "rse = { iiv.ka.var = 0.2, CL = 0.1 }\n[[omega]]\nof = [\"CL\", "
                           "\"V\"]\ndf = 40\n",
                           20);
    CHECK(drawn(*few.read, "CL", 20) == drawn(*more.read, "CL", 20));
    const auto alone = good(*model, "[[omega]]\nof = [\"CL\", \"V\"]\ndf = 40\n", 20);
    CHECK(drawn(*alone.read, "iiv.V.var", 20) == drawn(*more.read, "iiv.V.var", 20));
    CHECK(drawn(*alone.read, "iiv.V.var", 20, 6) != drawn(*more.read, "iiv.V.var", 20));
}

TEST_CASE("tables of draws may be called as other programs call them") {
    const auto model = the_varying_model();
    const auto table = temporary_path("nonmem.csv");
    std::ofstream(table)
        << "model,THETA1,\"OMEGA(1,1)\",\"OMEGA(2,1)\",\"OMEGA(2,2)\",\"SIGMA(1,1)\"\n"
           "1,5.5,0.16,0.02,0.09,0.04\n";
    const std::string name = table.filename().string();
    const auto read =
        good(*model,
             fmt::format("draws = \"{}\"\ncolumns = {{ CL = \"THETA1\", iiv.CL.var = "
                         "\"OMEGA(1,1)\", iiv.CL.V.covariance = \"OMEGA(2,1)\", iiv.V.var = "
                         "\"OMEGA(2,2)\", error.C.proportional.var = \"SIGMA(1,1)\" }}\n",
                         name),
             1)
            .read;
    const PopulationLaws laws = *laws_of_replicate(*model, read.get(), 5, 0);
    CHECK(laws.typical[0] == 5.5);
    CHECK(laws.omega[0].covariance == std::vector<double>{0.4 * 0.4, 0.02, 0.02, 0.3 * 0.3});
    CHECK(laws.iiv[0]->sd == 0.4);
    CHECK(laws.residual_errors[0].proportional == 0.2);
    CHECK(laws.residual_errors[0].additive == 0.02);
    const std::string messages =
        uncertainty(*model,
                    fmt::format("draws = \"{}\"\ncolumns = {{ CL = \"THETA9\", V40 = 1 }}\n", name),
                    1)
            .messages;
    CHECK(messages.find("has no column 'THETA9'") != std::string::npos);
    CHECK(messages.find("the name of a column is expected") != std::string::npos);
    std::filesystem::remove(table);
}

TEST_CASE("a row that no patients could vary by is told with its place") {
    const auto model = the_varying_model();
    const auto table = temporary_path("rows.csv");
    const auto told = [&](const std::string& text, std::uint32_t n) {
        std::ofstream(table) << text;
        return uncertainty(*model, fmt::format("draws = \"{}\"\n", table.filename().string()), n)
            .messages;
    };
    const auto has = [](const std::string& message, const std::string& part) {
        CAPTURE(message);
        CHECK(message.find(part) != std::string::npos);
    };
    const std::string header = "iiv.CL.var,iiv.V.var,iiv.CL.V.covariance\n0.09,0.04,0.03\n";
    const std::string singular = told(header + "0.09,0.04,0.07\n0.09,0.04,-0.07\n", 3);
    has(singular, "rows.csv:3:11");
    has(singular,
        "replicate 2 has iiv.CL.V.covariance = 0.07, with which the covariance of the effects of "
        "CL, V is not positive semidefinite: no patients vary like that (2 of 3 are like that)");
    has(told(header + "-0.01,0.04,0\n", 2), "rows.csv:3:1");
    has(told(header + "-0.01,0.04,0\n", 2), "iiv.CL.var = -0.01, which is below 0");
    CHECK(told(header + "0,0.04,0\n", 2) == ""); // nobody differs: an estimate on its bound
    has(told(header + "0,0.04,0.01\n", 2), "not positive semidefinite");
    has(told("iiv.CL.V.correlation\n1.2\n", 1), "which is no correlation");
    has(told("mixture.GROUP.slow,mixture.GROUP.fast\n0.6,0.5\n", 1), "sum to 1.1");
    has(told("mixture.GROUP.slow\n1.5\n", 1), "which is no proportion");
    has(told("error.C.additive [ug/L]\n-3\n", 1), "error.C.additive = -0.003 mg/L, which is below");
    has(told("iiv.CL.sd [L/h]\n0.3\n", 1), "the column is in L/h, iiv.CL.sd in 1");
    std::filesystem::remove(table);
}

TEST_CASE("mistakes of what is uncertain are told") {
    const auto model = the_varying_model();
    const auto has = [&](const std::string& toml, const std::string& part) {
        const std::string messages = uncertainty(*model, toml, 20).messages;
        CAPTURE(messages);
        CHECK(messages.find(part) != std::string::npos);
    };
    has("rse = { omega.CL = 0.2 }\n", "'omega' is a variance to some and an sd to others");
    has("rse = { sigma.C = 0.2 }\n", "error.Cp.proportional.var");
    has("rse = { ivv.CL.sd = 0.2 }\n", "'ivv.CL.sd' is no number of the model");
    has("rse = { iiv.CLL.sd = 0.2 }\n", "'CLL' is no parameter");
    has("rse = { iiv.V40.sd = 0.2 }\n", "'V40' has no iiv");
    has("rse = { iiv.CL = 0.2 }\n", "does not say what is given");
    has("rse = { iiv.CL.size = 0.2 }\n", "is no reading of variability");
    has("rse = { iiv.CL.scale = 0.2 }\n", "a scale is that of law \"student\"");
    has("rse = { iiv.CL.ka.correlation = 0.2 }\n", "CL and ka are independent");
    has("rse = { iiv.CL.CL.covariance = 0.2 }\n", "the variance is iiv.CL.var");
    has("rse = { error.C.sd = 0.2 }\n", "the error of C has no 'sd'");
    has("rse = { error.B.sd = 0.2 }\n", "'B' is no output");
    has("rse = { mixture.GROUP.quick = 0.2 }\n", "'quick' is no category of GROUP");
    has("rse = { mixture.GROUP.slow = 0.2 }\n", "needs the proportions of all categories but one");
    has("rse = { mixture.GROUP.slow = 0.1, mixture.GROUP.fast = 0.1, mixture.GROUP.other = 0.1 }\n",
        "leave one category out");
    has("rse = { iiv.CL.sd = 0.1, iiv.CL.var = 0.2 }\n", "'iiv.CL.var' is named twice");
    has("rse = { iiv.CL.V.correlation = 0.1 }\n", "goes with all variances and covariances");
    has("[[omega]]\nof = [\"CL\"]\ndf = 20\n", "that of one [[omega]] of the model as a whole");
    has("[[omega]]\nof = [\"ka\"]\ndf = 2\n", "say nothing of 1 effect");
    has("[[omega]]\nof = [\"ka\"]\ndf = 20\nrse = 0.1\n", "rse");
    has("rse = { iiv.ka.sd = 0.1 }\n[[omega]]\nof = [\"ka\"]\ndf = 20\n",
        "'iiv.ka.var' is named twice");
    has("rse = { CL = 0.1 }\ncolumns = { CL = \"TH1\" }\n", "columns are those of 'draws'");
}
