#include "commands.hpp"
#include "table_output.hpp"

#include <gemel/scenarios/nca.hpp>

#include <map>
#include <ostream>

namespace gemel::cli {

namespace {

using pkpd::AreaRule;
using pkpd::NcaRoute;
using scenarios::NcaFormat;
using scenarios::NcaIntervals;
using scenarios::NcaRequest;

struct NcaArguments {
    std::string file, output;
    NcaRoute route = NcaRoute::extravascular;
    NcaRequest request;
};

int nca(const NcaArguments& options) {
    return write_table(options.file, options.output, [&](std::ostream& out) {
        scenarios::nca(options.file, options.request, out);
    });
}

void add_doses(CLI::App& command, NcaArguments& options) {
    static const std::map<std::string, NcaRoute> routes{{"oral", NcaRoute::extravascular},
                                                        {"extravascular", NcaRoute::extravascular},
                                                        {"bolus", NcaRoute::bolus},
                                                        {"infusion", NcaRoute::infusion}};
    static const std::map<std::string, NcaIntervals> intervals{
        {"first", NcaIntervals::first}, {"last", NcaIntervals::last}, {"all", NcaIntervals::all}};
    NcaRequest& request = options.request;
    command
        .add_option(
            "--route", options.route, "oral, bolus or infusion; default: as the file's infusions")
        ->transform(CLI::CheckedTransformer(routes));
    command.add_option("--dose", request.dose, "each dose, instead of the file's");
    command.add_option("--dose-time", request.dose_time, "where the file has no doses; default 0");
    command.add_option("--duration", request.duration, "of infusions, instead of the file's");
    command.add_option("--tau", request.tau, "dosing interval, instead of the file's");
    command.add_flag("--steady-state",
                     request.is_steady,
                     "the last interval is one of a steady state: clearance from auctau");
    command
        .add_option("--interval",
                    request.intervals,
                    "after which dose, where there are several: first, last or all; default last")
        ->transform(CLI::CheckedTransformer(intervals));
    command.add_option("--superpose",
                       request.superpose,
                       "interval: what a single dose foretells of a steady state");
}

void add_rules(CLI::App& command, NcaRequest& request) {
    static const std::map<std::string, AreaRule> rules{
        {"linear-up-log-down", AreaRule::linear_up_log_down},
        {"linear", AreaRule::linear},
        {"linear-log", AreaRule::linear_log}};
    command
        .add_option("--method",
                    request.rule,
                    "linear-up-log-down (default), linear, or linear-log: logarithmic after tmax")
        ->transform(CLI::CheckedTransformer(rules));
    command.add_option("--blq",
                       request.blq,
                       "below the limit before, between and after measurable ones: zero, drop or a "
                       "number each; default zero,drop,zero");
    command.add_option(
        "--blq-around-tmax", request.blq_around_tmax, "likewise before and after tmax");
    command.add_option("--lloq", request.lloq, "concentrations below it are below the limit");
    command.add_option(
        "--lambda-z", request.slope_window, "FROM:TO since the dose: the points that serve it");
    command
        .add_option("--not-lambda-z", request.slope_without, "time of a point that does not serve")
        ->allow_extra_args(false);
    command.add_option("--lambda-z-points", request.slope_points, "at least; default 3")
        ->check(CLI::Range(3, 1000));
    command.add_flag("--lambda-z-from-tmax", request.slope_from_tmax, "tmax may serve it, too");
    command.add_flag("--sparse",
                     request.is_sparse,
                     "subjects sampled once or at some of the times: area of the means");
}

void add_tables(CLI::App& command, NcaArguments& options) {
    static const std::map<std::string, NcaFormat> formats{
        {"table", NcaFormat::table}, {"csv", NcaFormat::csv}, {"json", NcaFormat::json}};
    NcaRequest& request = options.request;
    command.add_option("--partial", request.partials, "FROM:TO since the dose, a partial area")
        ->allow_extra_args(false);
    command.add_option("--above", request.thresholds, "concentration, the time above it")
        ->allow_extra_args(false);
    command.add_option("--curve", request.curve, "curve of a result file, or DVID of data");
    command.add_option(
        "--concentration", request.concentration, "column of concentrations, where it is not DV");
    command.add_option("--group", request.groups, "column that tells profiles apart")
        ->allow_extra_args(false);
    command
        .add_option("--column",
                    request.columns,
                    "NAME=HEADER: where the header is not the convention's, as in AMT=DOSE")
        ->allow_extra_args(false);
    command.add_option("--carry", request.carried, "column whose name means something else")
        ->allow_extra_args(false);
    command.add_option("--preset", request.preset, "adppk: names of columns of CDISC")
        ->check(CLI::IsMember({"adppk"}));
    command.add_flag("--clock", request.has_clock, "TIME, with DATE, is a time of day");
    command.add_option("--date", request.date, "order of a date's parts: y-m-d, m/d/y or d/m/y")
        ->check(CLI::IsMember({"y-m-d", "m/d/y", "d/m/y"}));
    command.add_option("--missing", request.missing, "cell that holds no value, besides . and NA")
        ->allow_extra_args(false);
    command.add_option("--ignore", request.ignore, "rows that begin so are left out; @: letters");
    command.add_option("--time-unit", request.time_unit, "where the header does not say it");
    command.add_option("--conc-unit", request.concentration_unit, "likewise");
    command.add_option("--dose-unit", request.dose_unit, "likewise");
    command
        .add_option("--parameters",
                    request.parameters,
                    "comma-separated, instead of the usual ones (gemel reference nca)")
        ->delimiter(',');
    command.add_option("--format", request.format, "table (default), csv or json")
        ->transform(CLI::CheckedTransformer(formats));
    command.add_option("-o,--output", options.output, "file; default: standard output");
}

} // namespace

void add_nca(CLI::App& program, Action& action) {
    auto options = std::make_shared<NcaArguments>();
    CLI::App* command = program.add_subcommand(
        "nca", "Analyse exposure without compartments: areas, half-lives, clearances");
    command->add_option("FILE", options->file, "data as CSV, or a result file")->required();
    add_doses(*command, *options);
    add_rules(*command, options->request);
    add_tables(*command, *options);
    const CLI::Option* const route = command->get_option("--route");
    command->callback([options, route, &action] {
        if (route->count() > 0) options->request.route = options->route;
        action = [options] { return nca(*options); };
    });
}

} // namespace gemel::cli
