#include "fit_scale.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

using pkpd::LawNumber;
using pkpd::Level;
/// A fraction within 5e-5 of 0 or 1 is one of them: no data tell more of it.
constexpr double furthest_logit = 10.0;
constexpr double least_log_sd = -9.2; ///< an sd of 1e-4: nothing varies

std::size_t position(const std::vector<std::size_t>& list, std::size_t what) {
    return static_cast<std::size_t>(std::ranges::find(list, what) - list.begin());
}

FitScale::Transform transform_of(const pkpd::Parameter& parameter) {
    if (const pkpd::Variability* law = parameter.law()) {
        if (law->law == pkpd::VariabilityLaw::logit) return FitScale::Transform::logit;
        if (law->law != pkpd::VariabilityLaw::normal) return FitScale::Transform::logarithm;
    }
    const bool is_positive = parameter.value > 0.0 && parameter.lower && *parameter.lower >= 0.0;
    return is_positive ? FitScale::Transform::logarithm : FitScale::Transform::none;
}

ErrorNumber error_number(LawNumber::ErrorPart part) {
    if (part == LawNumber::ErrorPart::proportional) return ErrorNumber::proportional;
    if (part == LawNumber::ErrorPart::exponent) return ErrorNumber::exponent;
    return ErrorNumber::additive;
}

double& part_of(ErrorLaw& law, ErrorNumber number) {
    return number == ErrorNumber::additive       ? law.additive
           : number == ErrorNumber::proportional ? law.proportional
                                                 : law.exponent;
}

} // namespace

double to_scale(FitScale::Transform transform, double value) {
    if (transform == FitScale::Transform::logarithm) return std::log(value);
    if (transform == FitScale::Transform::logit) return std::log(value / (1.0 - value));
    return value;
}

double from_scale(FitScale::Transform transform, double place) {
    if (transform == FitScale::Transform::logarithm) return std::exp(place);
    if (transform == FitScale::Transform::logit) return 1.0 / (1.0 + std::exp(-place));
    return place;
}

FitScale::FitScale(const FitData& data) : data_(data) {
    const std::vector<FitNumber>& numbers = data.setup().numbers;
    std::vector<double> starts;
    for (const FitNumber& number : numbers)
        starts.push_back(number.start);
    find_groups();
    fixed = point_of_values(starts);
    for (std::size_t k = 0; k < numbers.size(); ++k)
        if (numbers[k].law.kind == LawNumber::Kind::typical && !numbers[k].is_fixed) add_theta(k);
    add_roots();
    for (std::size_t k = 0; k < numbers.size(); ++k)
        if (numbers[k].law.kind == LawNumber::Kind::error && !numbers[k].is_fixed) add_error(k);
}

void FitScale::add_theta(std::size_t number) {
    const FitNumber& given = data_.setup().numbers[number];
    Coordinate coordinate;
    coordinate.number = number;
    coordinate.parameter = static_cast<std::size_t>(given.law.first);
    coordinate.transform = transform_of(data_.model().parameters[coordinate.parameter]);
    const bool is_bounded_below = coordinate.transform != Transform::none && given.lower <= 0.0;
    const bool is_bounded_above = coordinate.transform == Transform::logit && given.upper >= 1.0;
    const double infinite = std::numeric_limits<double>::infinity();
    coordinate.lower = is_bounded_below ? -infinite : to_scale(coordinate.transform, given.lower);
    coordinate.upper = is_bounded_above ? infinite : to_scale(coordinate.transform, given.upper);
    if (given.upper == infinite) coordinate.upper = infinite;
    if (given.lower == -infinite) coordinate.lower = -infinite;
    if (coordinate.transform == Transform::logit) {
        coordinate.lower = std::max(coordinate.lower, -furthest_logit);
        coordinate.upper = std::min(coordinate.upper, furthest_logit);
    }
    coordinates.push_back(coordinate);
}

/// The model's [[omega]], then every effect that is in none.
void FitScale::find_groups() {
    for (const Level level : {Level::subject, Level::occasion}) {
        const std::vector<std::size_t>& effects =
            level == Level::subject ? data_.eta_parameters : data_.kappa_parameters;
        std::vector<char> is_placed(effects.size(), 0);
        for (const pkpd::OmegaBlock& block : data_.model().omega) {
            if (block.level != level) continue;
            Group group{level, {}, false};
            for (const int parameter : block.of)
                if (const std::size_t row = position(effects, static_cast<std::size_t>(parameter));
                    row < effects.size()) {
                    group.of.push_back(row);
                    is_placed[row] = 1;
                }
            groups.push_back(group);
        }
        for (std::size_t row = 0; row < effects.size(); ++row)
            if (is_placed[row] == 0) groups.push_back({level, {row}, false});
    }
    for (Group& group : groups) {
        const std::vector<std::size_t>& effects =
            group.level == Level::subject ? data_.eta_parameters : data_.kappa_parameters;
        for (const FitNumber& number : data_.setup().numbers)
            if (number.law.kind == LawNumber::Kind::effect && number.law.level == group.level &&
                number.is_fixed &&
                position(group.of, position(effects, static_cast<std::size_t>(number.law.first))) <
                    group.of.size())
                group.is_fixed = true;
    }
}

void FitScale::add_roots() {
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (groups[g].is_fixed) continue;
        for (std::size_t i = 0; i < groups[g].of.size(); ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                Coordinate coordinate;
                coordinate.kind = Kind::root;
                coordinate.group = g;
                coordinate.row = i;
                coordinate.column = j;
                coordinate.lower = i == j ? least_log_sd : -std::numeric_limits<double>::infinity();
                coordinate.upper = std::numeric_limits<double>::infinity();
                coordinates.push_back(coordinate);
            }
    }
}

void FitScale::add_error(std::size_t number) {
    const FitNumber& given = data_.setup().numbers[number];
    Coordinate coordinate;
    coordinate.kind = Kind::error;
    coordinate.number = number;
    coordinate.error = error_number(given.law.part);
    coordinate.output = static_cast<std::size_t>(std::ranges::find(data_.outputs, given.law.first) -
                                                 data_.outputs.begin());
    coordinate.transform =
        coordinate.error == ErrorNumber::exponent ? Transform::none : Transform::logarithm;
    coordinate.lower = coordinate.error == ErrorNumber::exponent
                           ? -std::numeric_limits<double>::infinity()
                           : std::log(1e-6 * std::max(given.start, 1e-6));
    coordinate.upper = std::numeric_limits<double>::infinity();
    coordinates.push_back(coordinate);
}

std::string FitScale::name(std::size_t coordinate) const {
    const Coordinate& c = coordinates[coordinate];
    if (c.kind != Kind::root) return data_.setup().numbers[c.number].law.name;
    const bool is_subject = groups[c.group].level == Level::subject;
    const auto& effects = is_subject ? data_.eta_parameters : data_.kappa_parameters;
    const auto of = [&](std::size_t row) {
        return data_.model().parameters[effects[groups[c.group].of[row]]].name;
    };
    return std::string(is_subject ? "iiv." : "iov.") +
           (c.row == c.column ? of(c.row) : of(c.column) + "." + of(c.row));
}

std::vector<double> FitScale::start() const {
    return place(fixed);
}

PopulationPoint FitScale::point_of_values(std::span<const double> values) const {
    const pkpd::Model& model = data_.model();
    std::vector<LawNumber> numbers;
    for (const FitNumber& number : data_.setup().numbers)
        numbers.push_back(number.law);
    pkpd::PopulationLaws laws = pkpd::laws_of(model);
    pkpd::set_values(model, numbers, values, laws);
    PopulationPoint point;
    point.theta = laws.typical;
    const auto fill = [&](Level level, const std::vector<std::size_t>& effects) {
        const auto n = static_cast<Eigen::Index>(effects.size());
        Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(n, n);
        for (Eigen::Index i = 0; i < n; ++i) {
            const double spread =
                laws.effect(level, effects[static_cast<std::size_t>(i)])->spread();
            covariance(i, i) = spread * spread;
        }
        for (const pkpd::OmegaBlock& block : laws.omega)
            for (std::size_t i = 0; i < block.of.size() && block.level == level; ++i)
                for (std::size_t j = 0; j < block.of.size(); ++j) {
                    const std::size_t row =
                                          position(effects, static_cast<std::size_t>(block.of[i])),
                                      column =
                                          position(effects, static_cast<std::size_t>(block.of[j]));
                    if (row < effects.size() && column < effects.size())
                        covariance(static_cast<Eigen::Index>(row),
                                   static_cast<Eigen::Index>(column)) =
                            block.covariance[i * block.of.size() + j];
                }
        return covariance;
    };
    point.omega = fill(Level::subject, data_.eta_parameters);
    point.pi = fill(Level::occasion, data_.kappa_parameters);
    for (const int output : data_.outputs)
        point.errors.push_back(error_law(laws.residual_errors[static_cast<std::size_t>(output)]));
    return point;
}

std::vector<double> FitScale::place(std::span<const double> values) const {
    return place(point_of_values(values));
}

namespace {

/// The root of a group's covariance, [n × n].
Eigen::MatrixXd root_of(const Eigen::MatrixXd& covariance, const std::vector<std::size_t>& of) {
    const auto n = static_cast<Eigen::Index>(of.size());
    Eigen::MatrixXd part(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = 0; j < n; ++j)
            part(i, j) = covariance(static_cast<Eigen::Index>(of[static_cast<std::size_t>(i)]),
                                    static_cast<Eigen::Index>(of[static_cast<std::size_t>(j)]));
    return part.llt().matrixL();
}

/// Of the root of a group, whose coordinates go by rows.
double root_entry(std::span<const double> of_group, std::size_t row, std::size_t column) {
    const double at = of_group[row * (row + 1) / 2 + column];
    return row == column ? std::exp(at) : at;
}

void set_group(const FitScale::Group& group,
               std::span<const double> of_group,
               Eigen::MatrixXd& covariance) {
    for (std::size_t i = 0; i < group.of.size(); ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (std::size_t l = 0; l <= j; ++l)
                sum += root_entry(of_group, i, l) * root_entry(of_group, j, l);
            const auto row = static_cast<Eigen::Index>(group.of[i]),
                       column = static_cast<Eigen::Index>(group.of[j]);
            covariance(row, column) = covariance(column, row) = sum;
        }
}

} // namespace

std::vector<double> FitScale::place(const PopulationPoint& point) const {
    std::vector<double> at;
    for (const Coordinate& c : coordinates) {
        if (c.kind == Kind::theta) {
            at.push_back(to_scale(c.transform, point.theta[c.parameter]));
        } else if (c.kind == Kind::root) {
            const Group& group = groups[c.group];
            const Eigen::MatrixXd root = root_of(covariance(point, group.level), group.of);
            const double value =
                root(static_cast<Eigen::Index>(c.row), static_cast<Eigen::Index>(c.column));
            at.push_back(c.row == c.column ? std::log(value) : value);
        } else {
            ErrorLaw law = point.errors[c.output];
            at.push_back(to_scale(c.transform, part_of(law, c.error)));
        }
        at.back() = std::clamp(at.back(), c.lower, c.upper);
    }
    return at;
}

void FitScale::set_point(std::span<const double> at, PopulationPoint& point) const {
    point = fixed;
    for (std::size_t k = 0; k < coordinates.size(); ++k) {
        const Coordinate& c = coordinates[k];
        if (c.kind == Kind::theta)
            point.theta[c.parameter] = from_scale(c.transform, at[k]);
        else if (c.kind == Kind::error)
            part_of(point.errors[c.output], c.error) = from_scale(c.transform, at[k]);
        else if (c.row == 0)
            set_group(groups[c.group],
                      at.subspan(k),
                      groups[c.group].level == Level::subject ? point.omega : point.pi);
    }
}

PopulationPoint FitScale::point(std::span<const double> at) const {
    PopulationPoint point;
    set_point(at, point);
    return point;
}

std::vector<double> FitScale::values(const PopulationPoint& point) const {
    pkpd::PopulationLaws laws = pkpd::laws_of(data_.model());
    laws.typical = point.theta;
    const auto put = [&](Level level,
                         const std::vector<std::size_t>& effects,
                         const Eigen::MatrixXd& covariance) {
        for (std::size_t i = 0; i < effects.size(); ++i) {
            auto& effect = (level == Level::subject ? laws.iiv : laws.iov)[effects[i]];
            effect->sd =
                std::sqrt(covariance(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(i)));
        }
        for (pkpd::OmegaBlock& block : laws.omega)
            for (std::size_t i = 0; i < block.of.size() && block.level == level; ++i)
                for (std::size_t j = 0; j < block.of.size(); ++j) {
                    const std::size_t row =
                                          position(effects, static_cast<std::size_t>(block.of[i])),
                                      column =
                                          position(effects, static_cast<std::size_t>(block.of[j]));
                    if (row < effects.size() && column < effects.size())
                        block.covariance[i * block.of.size() + j] = covariance(
                            static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column));
                }
    };
    put(Level::subject, data_.eta_parameters, point.omega);
    put(Level::occasion, data_.kappa_parameters, point.pi);
    for (std::size_t o = 0; o < data_.outputs.size(); ++o) {
        pkpd::ResidualError& error =
            laws.residual_errors[static_cast<std::size_t>(data_.outputs[o])];
        error.additive = point.errors[o].is_logarithmic() ? 0.0 : point.errors[o].additive;
        error.log_sd = point.errors[o].is_logarithmic() ? point.errors[o].additive : 0.0;
        error.proportional = point.errors[o].proportional;
        error.exponent = point.errors[o].exponent;
    }
    std::vector<double> values;
    for (const FitNumber& number : data_.setup().numbers)
        values.push_back(number.is_fixed ? number.start : pkpd::value_of(laws, number.law));
    return values;
}

Eigen::MatrixXd FitScale::jacobian(std::span<const double> at) const {
    constexpr double step = 1e-5;
    const auto n_numbers = static_cast<Eigen::Index>(data_.setup().numbers.size());
    Eigen::MatrixXd jacobian(n_numbers, static_cast<Eigen::Index>(size()));
    std::vector<double> moved(at.begin(), at.end());
    for (std::size_t k = 0; k < size(); ++k) {
        moved[k] = at[k] + step;
        const std::vector<double> up = values(point(moved));
        moved[k] = at[k] - step;
        const std::vector<double> down = values(point(moved));
        moved[k] = at[k];
        for (Eigen::Index i = 0; i < n_numbers; ++i)
            jacobian(i, static_cast<Eigen::Index>(k)) =
                (up[static_cast<std::size_t>(i)] - down[static_cast<std::size_t>(i)]) /
                (2.0 * step);
    }
    return jacobian;
}

namespace {

/// d(L·Lᵀ) = dL·Lᵀ + L·dLᵀ, where dL has one entry. @param root  gives L's entry (i, j)
template <class Root>
void set_change(const FitScale::Coordinate& c,
                const FitScale::Group& group,
                const Root& root,
                Eigen::MatrixXd& change) {
    const double by = c.row == c.column ? root(c.row, c.column) : 1.0;
    const auto moved = static_cast<Eigen::Index>(group.of[c.row]);
    change.setZero();
    for (std::size_t j = c.column; j < group.of.size(); ++j) {
        const auto other = static_cast<Eigen::Index>(group.of[j]);
        change(moved, other) += by * root(j, c.column);
        change(other, moved) += by * root(j, c.column);
    }
}

} // namespace

void FitScale::change_of_covariance(std::size_t coordinate,
                                    std::span<const double> at,
                                    Eigen::MatrixXd& change) const {
    const Coordinate& c = coordinates[coordinate];
    const Group& group = groups[c.group];
    const Eigen::MatrixXd& whole = covariance(fixed, group.level);
    change.resize(whole.rows(), whole.cols());
    const std::span<const double> of_group =
        at.subspan(coordinate - (c.row * (c.row + 1) / 2 + c.column));
    set_change(
        c, group, [&](std::size_t i, std::size_t j) { return root_entry(of_group, i, j); }, change);
}

Eigen::MatrixXd FitScale::change_of_covariance(std::size_t coordinate,
                                               const PopulationPoint& point) const {
    const Coordinate& c = coordinates[coordinate];
    const Group& group = groups[c.group];
    const Eigen::MatrixXd& whole = covariance(point, group.level);
    const Eigen::MatrixXd root = root_of(whole, group.of);
    Eigen::MatrixXd change(whole.rows(), whole.cols());
    set_change(
        c,
        group,
        [&](std::size_t i, std::size_t j) {
            return root(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
        },
        change);
    return change;
}

} // namespace gemel::learners
