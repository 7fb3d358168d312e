"""URLs and names that lead, or try to lead, into private places; no socket may be opened to any."""

NASTY = """
    http://127.0.0.1/ http://127.0.0.1:80/ https://127.0.0.1/ http://127.255.255.254/ http://127.1/
    http://127.0.1/ http://0.0.0.0/ http://0/ http://0.1.2.3/ http://2130706433/ http://017700000001/
    http://0x7f000001/ http://0x7f.0.0.1/ http://0177.0.0.1/ http://0x7f.1/ http://127.0.0.1./
    http://10.0.0.1/ http://10.255.255.255/ http://172.16.0.1/ http://172.31.255.255/
    http://192.168.0.1/ http://192.168.255.255/ http://169.254.1.1/ http://169.254.169.254/latest/meta-data/
    http://0xa9fea9fe/ http://2852039166/ http://0251.0376.0251.0376/ http://100.64.0.1/
    http://100.100.100.200/ http://168.63.129.16/ http://192.0.0.192/ http://192.0.2.1/
    http://198.18.0.1/ http://198.51.100.1/ http://203.0.113.1/ http://192.88.99.1/
    http://224.0.0.1/ http://239.255.255.250/ http://240.0.0.1/ http://255.255.255.255/
    http://[::]/ http://[::1]/ http://[::127.0.0.1]/ http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/
    http://[::ffff:10.0.0.1]/ http://[::ffff:169.254.169.254]/ http://[::ffff:0:127.0.0.1]/
    http://[64:ff9b::7f00:1]/ http://[64:ff9b::a9fe:a9fe]/ http://[64:ff9b:1::1]/ http://[2002:7f00:1::]/
    http://[2002:a00:1::1]/ http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/ http://[2001:db8::1]/
    http://[fe80::1]/ http://[fe80::1%25eth0]/ http://[fec0::1]/ http://[fc00::1]/ http://[fd00:ec2::254]/
    http://[ff02::1]/ http://[100::1]/ http://[5f00::1]/ http://[0:0:0:0:0:0:0:1]/
    http://user@93.184.216.34/ http://a:b@93.184.216.34/ http://93.184.216.34\\@127.0.0.1/
    http://127.0.0.1#@93.184.216.34/ http://93.184.216.34:22/ http://93.184.216.34:25/
    http://93.184.216.34:6379/ http://93.184.216.34:0/ http://93.184.216.34:99999/
    ftp://93.184.216.34/ file:///etc/passwd gopher://93.184.216.34:80/ unix:///var/run/x.sock
    data:text/plain,x javascript:alert(1) http:///x http:/93.184.216.34/ //93.184.216.34/ 93.184.216.34
    http://127\u30020\u30020\u30021/ http://\u2460\u2461\u2466.0.0.1/ http://\uff11\uff12\uff17.0.0.1/
    http://exa%20mple.com/ http://93.184.216.34%2f@127.0.0.1/ http://[::1 http://[::1]:x/ http://%31%32%37.0.0.1/
    http://..../ http://-/
""".split()  # noqa: SIM905 - a table to read

NAMED = {
    "localhost": ["127.0.0.1"],
    "localhost6": ["::1"],
    "printer.lan": ["192.168.1.9"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nat64.example": ["64:ff9b::a00:1"],
    "scoped.example": ["fe80::1%2"],
}
