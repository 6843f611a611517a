"""A small configuration with queues, skills and agents in which nothing is wrong."""

from textwrap import dedent

GOOD = {
    "config/site.yaml": "site: t\nvoices: [fake]\n",
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "config/devices/1002.yaml": 'device: "1002"\n',
    "config/calendars/office.yaml": "calendar: office\ntime_zone: Europe/Madrid\nhours: {mon-fri: 9:00-18:00}\n",
    "config/skills.yaml": "skills:\n  language.es: Español\n  billing:\n  vip: {title: {es: Preferente}}\n",
    "config/dispositions.yaml": dedent(
        """\
        dispositions:
          sales:
            sold:
              title: Venta
              choices:
                new: {title: {es: Nueva, en: New}, digits: "11"}
            other: {title: Otro, digits: 9}
        """
    ),
    "config/not_ready.yaml": "reasons:\n  lunch: {title: Comida, digits: 1, limit_s: 3600, paid: no}\n",
    "config/agents.yaml": dedent(
        """\
        agents:
          ana:
            name: Ana
            device: 1001
            code: 2001
            pin: secret:ana
            skills: {language.es: 10, billing: 3}
            queues: [sales]
          luis: {device: "1002", skills: {vip: 1, billing: 0}}
        """
    ),
    "config/queues/sales.yaml": dedent(
        """\
        queue: sales
        title: Ventas
        skills: "language.es >= 3 and (billing >= 2 or vip)"
        relax:
          - {after_s: 60, skills: "language.es or billing"}
        dispositions: sales
        calendar: office
        max_wait_s: 300
        overflow_to: help
        announcements: {every_s: 30, comfort_every_s: 60}
        prompts:
          comfort: {es: "Gracias por esperar.", en: "Thank you for waiting."}
        """
    ),
    "config/queues/help.yaml": "queue: help\nfallback: sales\n",
    "flows/f.yaml": "flow: f\nstart: q\nnodes:\n"
    "  q: {type: queue, queue: sales, skills: vip, error: bye}\n  bye: {type: hangup}\n",
}
